"""The task that `guide run` runs: training, or writing with what was trained."""

from __future__ import annotations

from typing import TYPE_CHECKING

from .learner import Learner
from .options import Options

if TYPE_CHECKING:
    from guide.loop import Tick
    from guide.run import Run

    from .writer import Writer


class Task:
    """Does what the option `do` says."""

    work: Learner | Writer | None = None

    def start(self, run: Run) -> None:
        """Find out which, and begin."""
        options = run.configure(Options)
        if options.do == "write":
            from .writer import Writer  # here: torch takes seconds to load

            self.work = Writer(options)
        else:
            self.work = Learner(options)
        self.work.start(run)

    def step(self, tick: Tick) -> None:
        """One update, or one byte."""
        assert self.work is not None
        self.work.step(tick)

    def close(self) -> None:
        """End it in order."""
        if self.work is not None:
            self.work.close()
