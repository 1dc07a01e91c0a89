"""Run a recorded run again, tick by tick in its own time, and stop where it comes out otherwise.

A step that depends on its tick, its seed and its input alone computes the same bits again. Where
it does not (an unseeded generator, a race, a clock that was read) the first tick that differs is
the place to look; `run.check(name, value)` says what is to be compared.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guide.clock import VirtualClock
from guide.errors import GuideError
from guide.loop import Loop, Tick
from guide.run import Run, Task


class ReplayClock(VirtualClock):
    """A virtual clock that wakes the loop when it woke in the recorded run."""

    def __init__(self, record: Mapping[str, Any]) -> None:
        ticks = record["ticks"]
        self._starts, self._ends = ticks["start_ns"], ticks["end_ns"]
        self._next = 0
        super().__init__(ticks["due_ns"][0])

    def sleep_until(self, t_ns: int) -> None:
        """Jump to the start of the next recorded tick, if that is later than `t_ns`."""
        super().sleep_until(max(t_ns, self._starts[self._next]))

    def end_tick(self) -> None:
        """Jump to when the tick ended."""
        end_ns = self._ends[self._next]
        super().sleep_until(end_ns)
        self._next = min(self._next + 1, len(self._ends) - 1)


class Replay:
    """A recorded run that is to be run again.

    Args:
        record: its record.
        name: what to call it in messages.

    Attributes:
        clock: what the loop is to be given.

    Raises:
        GuideError: when the record does not hold enough for it.
    """

    def __init__(self, record: Mapping[str, Any], name: str) -> None:
        self.record, self.name = record, name
        ticks = record.get("ticks")
        if not ticks or not ticks["due_ns"]:
            raise GuideError(f"{name} holds no ticks to replay", "guide run records a run")
        if ticks["first"]:
            raise GuideError(
                f"{name} kept its newest {len(ticks['due_ns']):,} ticks; a replay needs the first",
                "record a shorter run: guide run --ticks 50000",
            )
        self.clock = ReplayClock(record)

    def loop(self) -> Loop:
        """The loop as it was, on the recorded times."""
        loop = self.record["loop"]
        budget_ns = loop["budget_ns"]
        return Loop(
            loop["rate_hz"],
            loop["overrun"],
            budget_s=None if budget_ns is None else budget_ns / 1e9,
            ticks=len(self.record["ticks"]["due_ns"]),
            clock=self.clock,
        )


class Replayed:
    """A task that is held to a recorded run of it.

    Raises:
        GuideError: from `step`, at the first tick that differs.
    """

    def __init__(self, task: Task, replay: Replay) -> None:
        self._task, self._replay = task, replay
        self._ticks = replay.record["ticks"]
        self._checks: dict[str, dict[int, int]] = {
            what: dict(zip(kept["ticks"], kept["digests"], strict=True))
            for what, kept in replay.record.get("checks", {}).items()
        }

    def start(self, run: Run) -> None:
        """Start the task."""
        self._run = run
        if not self._checks:
            run.note(
                f"{self._replay.name} kept nothing to compare but the times of its ticks: "
                "run.check(name, value) in the task's step says what should come out the same"
            )
        self._task.start(run)

    def step(self, tick: Tick) -> None:
        """Step the task, and compare."""
        i, name = tick.index, self._replay.name
        if (tick.due_ns, tick.skipped) != (self._ticks["due_ns"][i], self._ticks["skipped"][i]):
            raise GuideError(f"tick {i} was due at another time than in {name}: it was paused")
        self._task.step(tick)
        for what, recorded in self._checks.items():
            now, then = self._run.checks.get(what, {}).get(i), recorded.get(i)
            if now == then:
                continue
            how = f"differs from {name}" if None not in (now, then) else "was checked in one alone"
            raise GuideError(f"first divergence at tick {i}: {what!r} {how}")
        self._replay.clock.end_tick()

    def close(self) -> None:
        """Close the task."""
        self._task.close()
