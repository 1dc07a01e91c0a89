"""The task: train until the target is reached, and say what it took."""

from __future__ import annotations

import time
from typing import TYPE_CHECKING

from .options import Options

if TYPE_CHECKING:
    from guide.loop import Tick
    from guide.run import Run
    from guide_deep_learning.training.loop.training import Training


class Task:
    """Trains the chosen rung; looks at the held-out text every few steps; stops at the target."""

    training: Training | None = None

    def start(self, run: Run) -> None:
        """Load torch, the text and the model."""
        self.run = run
        self.options = options = run.configure(Options)
        from guide_deep_learning.training.loop.training import Plan, Training
        from guide_deep_learning.training.models.model import GPT

        from .data import BATCH, CONTEXT, Data
        from .rungs import RUNGS

        rung = RUNGS[options.rung]
        data = Data(options.corpus, run.project, run.seed)
        self.every = options.eval_every or rung.every
        self.steps_s = self.steps_cpu_s = 0.0
        run.fact("rung", f"{options.rung}: {rung.adds}")
        run.fact("corpus sha256", data.corpus.sha256[:12])
        plan = Plan(
            build_model=lambda: GPT(rung.config),
            build_optimizer=rung.build_optimizer,
            schedule=rung.schedule,
            batch_of=data.batch,
            held_out=data.held_out,
            samples=BATCH * CONTEXT,
            same={
                "rung": options.rung,
                "corpus": data.corpus.sha256[:12],
                "seed": data.seed,
                "accumulate": options.accumulate,
            },
        )
        self.training = Training(run, options, plan)

    def step(self, tick: Tick) -> None:
        """One update, its time and CPU time summed up; looking at the held-out text is told apart.

        What is summed is the update alone, from its batch to its loss.
        """
        training = self.training
        assert training is not None
        wall, cpu = time.perf_counter(), time.process_time()
        training.update(tick)
        self.steps_s += time.perf_counter() - wall
        self.steps_cpu_s += time.process_time() - cpu
        if training.due(self.every) and training.evaluate(tick) <= self.options.target:
            run = self.run
            run.fact("steps to target", training.done)
            run.fact("seconds of steps", round(self.steps_s, 3))
            run.fact("CPU seconds of steps", round(self.steps_cpu_s, 3))
            run.loop.stop("target", agreed=True)
        else:
            training.stop_when_finished()

    def close(self) -> None:
        """Keep the weights, also of what was interrupted."""
        if self.training is None:
            return
        try:
            self.training.finish()
        finally:
            self.training.close()
