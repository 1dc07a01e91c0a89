"""Training: what happens before the first step, at each step, and after the last."""

from __future__ import annotations

from typing import TYPE_CHECKING

from guide_deep_learning.training.loop.neighbours import look

from .options import Options

if TYPE_CHECKING:
    from guide.loop import Tick
    from guide.run import Run
    from guide_deep_learning.training.loop.training import Training


class Learner:
    """Trains; evaluates and saves every so many steps; shows a sample at the end."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.training: Training | None = None

    def start(self, run: Run) -> None:
        """Load torch, the text and the model, and the newest checkpoint if asked to."""
        self.run = run
        options = self.options
        neighbours = look()  # first: how threads wait is settled as torch is loaded
        if neighbours.sentence:
            run.note(neighbours.sentence)
        import torch

        from guide_deep_learning.training.loop.training import Training

        from .data import Data
        from .plan import make_plan
        from .watch import Watch

        self.data = Data(options, run.project, run.seed)
        torch.autograd.set_detect_anomaly(True)  # the loss was nan once, and nobody knows why
        self.training = Training(run, options, make_plan(options, self.data, run))
        Watch(run, self.training.model, self.training.trainer.optimizer)

    def step(self, tick: Tick) -> None:
        """One update: its phases data, forward, backward, optimizer and loss are in the report."""
        options, training = self.options, self.training
        assert training is not None
        training.update(tick)
        if training.due(options.eval_every):
            training.evaluate(tick)
        if training.due(options.checkpoint_every):
            training.save(tick)
        training.stop_when_finished()

    def close(self) -> None:
        """Save what an interruption would lose, and let the model write a few lines."""
        training = self.training
        if training is None:
            return
        try:
            if training.finish():
                from guide_deep_learning.training.models.generate import sample

                text = sample(training.model, self.data.prompt, 300)
                self.run.text(f"Sample after step {training.done}", text)
        finally:
            training.close()
