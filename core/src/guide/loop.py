"""The real-time loop: ticks on an absolute grid, and a stated policy for the ones that run over.

    for tick in Loop(rate_hz=60, overrun="skip"):
        with tick.span("detect"):
            ...

The k-th tick is due at `origin + k * period`, computed from k each time, never by adding a
rounded period to the last wake-up: that sum is where loops drift (1 to 17 % slow at 60 to
1000 Hz is what adding up lateness costs; `benchmarks/` measures it).
"""

from __future__ import annotations

import heapq
import threading
from array import array
from collections.abc import Generator
from dataclasses import dataclass
from fractions import Fraction
from typing import Literal, get_args

from guide.clock import Clock, SystemClock
from guide.timing import Histogram, Span, Timeline

Overrun = Literal["skip", "catch-up", "slip"]

# A long sleep is cut into naps of this length so that `stop()` from a signal handler or another
# thread is noticed soon. Any loop faster than 10 Hz sleeps in one piece.
_NAP_NS = 100_000_000

_FOLD_EVERY = 64  # ticks: often enough that folding their spans takes a fraction of a millisecond

_HUGE = 1e15  # what lies beyond is a slip of the hand, and would not fit the log's 64 bits


@dataclass(slots=True)
class Tick:
    """One turn of the loop: a frame, or a training step."""

    index: int  # 0, 1, 2 ...: ticks run, not slots of the grid
    due_ns: int  # when it should have begun
    start_ns: int  # when it began
    deadline_ns: int | None  # when it must be done; None without a budget
    t_s: float  # seconds since the loop's origin at which it is due: the time to animate by
    dt_s: float  # seconds since the tick before was due; the period times the slots passed
    skipped: int  # slots of the grid given up just before this tick
    timeline: Timeline

    @property
    def lateness_ns(self) -> int:
        """How late it began."""
        return self.start_ns - self.due_ns

    def span(self, name: str) -> Span:
        """A context manager that records a part of this tick under `name`."""
        return self.timeline.span(name)


@dataclass(frozen=True, slots=True)
class TickRecord:
    """A finished tick, as the log keeps it; times in ns."""

    index: int
    due_ns: int
    start_ns: int
    end_ns: int
    deadline_ns: int | None
    skipped: int

    @property
    def work_ns(self) -> int:
        """How long it took: the tick time."""
        return self.end_ns - self.start_ns

    @property
    def missed(self) -> bool:
        """Whether it was done after its deadline."""
        return self.deadline_ns is not None and self.end_ns > self.deadline_ns


class TickLog:
    """All ticks in fixed memory: counts and distributions of all, the newest and worst in full."""

    def __init__(self, keep: int = 50_000, worst: int = 10) -> None:
        self.count = 0
        self.missed = 0  # ticks that were done after their deadline
        self.skipped = 0  # slots of the grid that were given up
        self.work = Histogram()
        self.lateness = Histogram()
        self._keep = keep
        self._worst_size = worst
        self._worst: list[tuple[int, int, TickRecord]] = []
        # due, start, end, skipped of each kept tick: 32 bytes where a tuple takes 200
        self._columns = tuple(array("q") for _ in range(4))
        self._deadline_after_due_ns: int | None = None

    def add(self, record: TickRecord) -> None:
        """Count one finished tick."""
        self.count += 1
        self.skipped += record.skipped
        self.missed += record.missed
        self.work.record(record.work_ns)
        self.lateness.record(record.start_ns - record.due_ns)
        if record.deadline_ns is not None:
            self._deadline_after_due_ns = record.deadline_ns - record.due_ns
        row = (record.due_ns, record.start_ns, record.end_ns, record.skipped)
        for column, value in zip(self._columns, row, strict=True):
            column.append(value)
            if len(column) > 2 * self._keep:
                del column[: self._keep]
        entry = (record.work_ns, -record.index, record)
        if len(self._worst) < self._worst_size:
            heapq.heappush(self._worst, entry)
        elif entry > self._worst[0]:
            heapq.heapreplace(self._worst, entry)

    def worst(self) -> list[TickRecord]:
        """The longest ticks, longest first; among equals the earliest first."""
        return [record for _, _, record in sorted(self._worst, reverse=True)]

    def recent(self) -> list[TickRecord]:
        """The newest ticks in order: all of them, unless the run was longer than what is kept."""
        first = self.count - len(self._columns[0])
        budget_ns = self._deadline_after_due_ns
        return [
            TickRecord(
                first + i, due, start, end, None if budget_ns is None else due + budget_ns, skipped
            )
            for i, (due, start, end, skipped) in enumerate(zip(*self._columns, strict=True))
        ]


class Loop:
    """An iterator of ticks at a fixed rate, or free-running.

    Args:
        rate_hz: ticks a second; None runs free, each tick due as the one before ends. Kept as an
            exact fraction: 59.94 is 59.94, not 17 ms.
        overrun: what happens when a tick is still running as the next falls due.
            "skip" gives up the slots that passed and starts on the next one: phase is kept.
            "catch-up" runs the late slots at once, at most `max_catch_up` of them, then skips.
            "slip" starts at once and moves the grid: every tick runs, later.
        budget_s: time a tick has, counted from when it is due; by default the period.
        max_catch_up: how many slots behind "catch-up" still makes up for.
        ticks: stop after so many.
        seconds: stop when this much time has passed.
        clock: the only source of time.
        timeline: where spans go; by default a new one on `clock`.

    Raises:
        ValueError: for a rate, budget or limit that is not positive, or an unknown policy.
    """

    def __init__(
        self,
        rate_hz: float | None = None,
        overrun: Overrun = "skip",
        *,
        budget_s: float | None = None,
        max_catch_up: int = 5,
        ticks: int | None = None,
        seconds: float | None = None,
        clock: Clock | None = None,
        timeline: Timeline | None = None,
    ) -> None:
        for name, value in (
            ("rate_hz", rate_hz),
            ("budget_s", budget_s),
            ("ticks", ticks),
            ("seconds", seconds),
            ("max_catch_up", max_catch_up),
        ):
            if value is not None and not 0 < value < _HUGE:
                raise ValueError(f"{name} must be above 0 and below {_HUGE:g}, not {value}")
        if overrun not in get_args(Overrun):
            raise ValueError(f"overrun is one of {', '.join(get_args(Overrun))}, not {overrun!r}")
        self.rate_hz = rate_hz
        self.overrun = overrun
        # str() first: the person meant the decimal they typed, not its binary neighbour
        self._period = None if rate_hz is None else 10**9 / Fraction(str(rate_hz))
        if budget_s is not None:
            self.budget_ns: int | None = max(round(budget_s * 1e9), 1)
        else:
            self.budget_ns = None if self._period is None else max(round(self._period), 1)
        self.max_catch_up = max_catch_up
        self.clock: Clock = clock or (timeline.clock if timeline else SystemClock())
        self.timeline = timeline or Timeline(self.clock)
        self.log = TickLog()
        self.ended = ""  # why it stopped, once it has
        self._ticks = ticks
        self._seconds_ns = None if seconds is None else round(seconds * 1e9)

    def stop(self, reason: str = "stopped") -> None:
        """End the loop after the tick that is running. Safe from a signal handler or a thread."""
        self.ended = self.ended or reason

    def __iter__(self) -> Generator[Tick, None, None]:
        self.timeline.loop_lane = threading.get_ident()
        return self._run_free() if self._period is None else self._run_paced(self._period)

    def _run_free(self) -> Generator[Tick, None, None]:
        origin_ns = last_ns = self.clock.now_ns()
        while not self._finished(origin_ns, now_ns := self.clock.now_ns()):
            yield from self._one(now_ns, now_ns, origin_ns, last_ns, 0)
            last_ns = now_ns

    def _run_paced(self, period: Fraction) -> Generator[Tick, None, None]:
        clock = self.clock
        origin_ns = grid_ns = clock.now_ns()
        last_due_ns = origin_ns
        slot = 0  # counted from grid_ns, which only "slip" moves
        skipped = 0
        due_ns = origin_ns
        while not self._finished(origin_ns, due_ns):
            while not self.ended and (now_ns := clock.now_ns()) < due_ns:
                clock.sleep_until(min(due_ns, now_ns + _NAP_NS))
            if self.ended:
                break
            yield from self._one(due_ns, clock.now_ns(), origin_ns, last_due_ns, skipped)
            last_due_ns = due_ns
            slot, skipped = slot + 1, 0
            due_ns = grid_ns + int(slot * period)
            behind_ns = clock.now_ns() - due_ns
            if behind_ns > 0:
                if self.overrun == "slip":
                    grid_ns, slot = due_ns + behind_ns, 0
                else:
                    behind = -int(-behind_ns // period)  # slots due already, this one included
                    allowed = self.max_catch_up if self.overrun == "catch-up" else 0
                    skipped = max(behind - allowed, 0)
                    slot += skipped
                due_ns = grid_ns + int(slot * period)

    def _one(
        self, due_ns: int, start_ns: int, origin_ns: int, last_due_ns: int, skipped: int
    ) -> Generator[Tick, None, None]:
        """Yield one tick and log it, also when the body of the loop raised or broke off."""
        index = self.log.count
        deadline_ns = None if self.budget_ns is None else due_ns + self.budget_ns
        self.timeline.tick = index
        try:
            yield Tick(
                index=index,
                due_ns=due_ns,
                start_ns=start_ns,
                deadline_ns=deadline_ns,
                t_s=(due_ns - origin_ns) / 1e9,
                dt_s=(due_ns - last_due_ns) / 1e9,
                skipped=skipped,
                timeline=self.timeline,
            )
        finally:
            end_ns = self.clock.now_ns()
            self.timeline.tick = -1
            self.log.add(TickRecord(index, due_ns, start_ns, end_ns, deadline_ns, skipped))
            if index % _FOLD_EVERY == 0:
                self.timeline.fold(wait=False)  # here no tick is running

    def _finished(self, origin_ns: int, next_due_ns: int) -> bool:
        if not self.ended:
            if self._ticks is not None and self.log.count >= self._ticks:
                self.ended = "ticks"
            elif self._seconds_ns is not None and next_due_ns - origin_ns >= self._seconds_ns:
                self.ended = "seconds"
        return bool(self.ended)
