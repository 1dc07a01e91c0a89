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


class Task:
    """Trains; evaluates and saves every so many steps; shows a sample at the end."""

    def __init__(self) -> None:
        self.sound = False  # whether what is in memory is worth saving
        self.opened = ExitStack()  # what `close` has to close

    def start(self, run: Run) -> None:
        """Load torch, the text and the model, and the newest checkpoint if asked to."""
        self.run = run
        self.options = run.configure(Options)
        from .session import open_session  # here: torch takes seconds to load

        self.session = open_session(self.options, run)
        self.opened.callback(self.session.world.leave)
        self.opened.callback(self.session.keeper.close)
        self.first = self.session.trainer.done  # the step of tick 0
        with self.session.world.in_touch():
            self.session.trainer.warm_up()
        self.sound = True

    def step(self, tick: Tick) -> None:
        """Make one update: the spans data, forward, backward, optimizer and loss are inside it."""
        with self.session.world.in_touch():
            self.learn(tick)

    def learn(self, tick: Tick) -> None:
        """One step, on this rank and on all others."""
        run, options, trainer = self.run, self.options, self.session.trainer
        agreement = self.session.agreement
        if trainer.done >= options.steps:  # resumed after the end
            run.stop("steps", agreed=True)
            return
        self.sound = False
        # That of the step before: this one's may not be there yet.
        self.log_losses(agreement.exchange(trainer.step()))
        spent_s = (run.clock.now_ns() - tick.start_ns) / 1e9
        run.log("tokens/s", options.batch * options.context / max(spent_s, 1e-9))

        last = trainer.done == options.steps
        if last or due(trainer.done, options.eval_every):
            with tick.span("evaluate"):
                self.log_losses(agreement.settle(trainer.flush()))
                run.log("loss.val", self.session.evaluate(), "nats/byte")
        if last or due(trainer.done, options.checkpoint_every):
            with tick.span("checkpoint"):
                self.log_losses(agreement.settle(self.session.keeper.save()))
        self.sound = True
        if last:
            run.stop("steps", agreed=True)

    def close(self) -> None:
        """Save what an interruption would lose, and let the model write a few lines."""
        with self.opened:
            if self.sound:
                self.sound = False
                with self.session.world.in_touch():
                    self.log_losses(self.session.agreement.settle(self.session.keeper.save()))
                    self.session.sum_up(self.run)
                    done = self.session.trainer.done
                    self.run.text(f"Sample after step {done}", self.session.sample(300))

    def log_losses(self, losses: list[StepLoss]) -> None:
        """Log them, at the ticks whose losses they are, not at that which learns them."""
        for loss in losses:
            series = self.run.series.setdefault("loss", Series("nats/byte"))
            series.add(loss.step - self.first, loss.value)


def due(done: int, every: int) -> bool:
    """Whether something that happens every so many steps does so after step `done`; 0 is never."""
    return every > 0 and done % every == 0
