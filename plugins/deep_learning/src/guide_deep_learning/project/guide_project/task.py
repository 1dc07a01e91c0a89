"""The task: what happens before the first step, at each step, and after the last."""

from __future__ import annotations

from contextlib import ExitStack
from typing import TYPE_CHECKING

from guide.run import Series

from .options import Options

if TYPE_CHECKING:
    from guide.loop import Tick
    from guide.run import Run
    from guide_deep_learning.training.guard import StepLoss

    from .writer import Writer


class Task:
    """Trains, or writes with what was trained, as the option `do` says."""

    work: Training | Writer | None = None

    def start(self, run: Run) -> None:
        """Find out which, and begin."""
        options = run.configure(Options)
        if options.do == "write":
            from .writer import Writer  # here: torch takes seconds to load

            self.work = Writer(options)
        else:
            self.work = Training(options)
        self.work.start(run)

    def step(self, tick: Tick) -> None:
        """One update, or one byte."""
        assert self.work is not None
        self.work.step(tick)

    def close(self) -> None:
        """End it in order."""
        if self.work is not None:
            self.work.close()


class Training:
    """Trains; evaluates and saves every so many steps; shows a sample at the end."""

    def __init__(self, options: Options) -> None:
        self.options = options
        self.sound = False  # whether what is in memory is worth saving
        self.opened = ExitStack()  # what `close` has to close

    def start(self, run: Run) -> None:
        """Load torch, the text and the model, and the newest checkpoint if asked to."""
        self.run = run
        from .session import open_session  # here: torch takes seconds to load

        self.session = open_session(self.options, run)
        self.opened.callback(self.session.keeper.close)
        self.first = self.session.trainer.done  # the step of tick 0
        self.session.trainer.warm_up()
        self.sound = True

    def step(self, tick: Tick) -> None:
        """Make one update: the spans data, forward, backward, optimizer and loss are inside it."""
        run, options, trainer = self.run, self.options, self.session.trainer
        if trainer.done >= options.steps:  # resumed after the end
            run.stop("steps")
            return
        self.sound = False
        self.log_loss(trainer.step())  # that of the step before: this one's may not be there yet
        spent_s = (run.clock.now_ns() - tick.start_ns) / 1e9
        run.log("tokens/s", options.batch * options.context / max(spent_s, 1e-9))

        last = trainer.done == options.steps
        if last or due(trainer.done, options.eval_every):
            with tick.span("evaluate"):
                self.log_loss(trainer.flush())
                run.log("loss.val", self.session.evaluate(), "nats/byte")
        if last or due(trainer.done, options.checkpoint_every):
            with tick.span("checkpoint"):
                self.log_loss(self.session.keeper.save())
        self.sound = True
        if last:
            run.stop("steps")

    def close(self) -> None:
        """Save what an interruption would lose, and let the model write a few lines."""
        with self.opened:
            if self.sound:
                self.sound = False
                self.log_loss(self.session.keeper.save())
                done = self.session.trainer.done
                self.run.text(f"Sample after step {done}", self.session.sample(300))

    def log_loss(self, loss: StepLoss | None) -> None:
        """Log it, where there is one: at the tick whose loss it is, not at that which learns it."""
        if loss is not None:
            series = self.run.series.setdefault("loss", Series("nats/byte"))
            series.add(loss.step - self.first, loss.value)


def due(done: int, every: int) -> bool:
    """Whether something that happens every so many steps does so after step `done`; 0 is never."""
    return every > 0 and done % every == 0
