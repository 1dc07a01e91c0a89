"""The real-time loop: ticks on an absolute grid, and a stated policy for the ones that run over.

    for tick in Loop(rate_hz=60, overrun="skip"):
        with tick.span("detect"):
            ...

The loop is handed a clock and asks nobody else the time, so every statement about it is tested to
the nanosecond. When ticks are due is `grid.py`'s business, how to wake on time the clock's
(`pacing.py`), and why a deadline was missed is found by `causes.py`.
"""

from __future__ import annotations

import contextlib
import functools
import time
from collections.abc import Callable, Generator, Iterator
from contextlib import AbstractContextManager
from typing import get_args

from guide.asleep import ASK_EVERY, Asked
from guide.causes import Causes, Miss, Used
from guide.clock import Clock, SystemClock
from guide.grid import FixedStep, Grid, Overrun
from guide.ticks import TickColumns, TickLog, TickRecord
from guide.timing import Timeline
from guide.units import exact

__all__ = ["FixedStep", "Loop", "Overrun", "Tick", "TickColumns", "TickLog", "TickRecord"]

# A long sleep is cut into naps of this length so that `stop()` from a signal handler or another
# thread is noticed soon. Any loop faster than 10 Hz sleeps in one piece.
_NAP_NS = 100_000_000
_PAUSED_NAP_NS = 20_000_000

_LOOK_EVERY = 64  # ticks; then a miss is explained soon after it was made
_FOLD_EVERY = 512  # ticks: working their spans out takes a millisecond or two, seldom

# Waking later than this, and than four slots, is no kernel's doing: the machine or the process
# was suspended, and nobody wants to catch up with the night.
_SUSPENDED_NS = 1_000_000_000

_HUGE = 1e15  # what lies beyond is a slip of the hand, and would not fit the log's 64 bits


class Tick:
    """One turn of the loop: a frame, or a training step."""

    def __init__(
        self,
        index: int,
        due_ns: int,
        start_ns: int,
        deadline_ns: int | None,
        t_ns: int,
        dt_ns: int,
        skipped: int,
        timeline: Timeline,
        span: Callable[[str], AbstractContextManager[None]],
    ) -> None:
        self.index = index  # 0, 1, 2 ...: ticks run, not slots of the grid
        self.due_ns = due_ns  # when it should have begun
        self.start_ns = start_ns  # when it began
        self.deadline_ns = deadline_ns  # when it must be done; None without a budget
        self.t_ns = t_ns  # time to animate by: since the origin, less pauses, at the loop's speed
        self.dt_ns = dt_ns  # the same since the tick before: the period times the slots passed
        self.skipped = skipped  # slots of the grid given up just before this tick
        self.timeline = timeline
        self.span = span  # a context manager that records a part of this tick under a name

    @property
    def t_s(self) -> float:
        """`t_ns` in seconds."""
        return self.t_ns / 1e9

    @property
    def dt_s(self) -> float:
        """`dt_ns` in seconds."""
        return self.dt_ns / 1e9

    @property
    def lateness_ns(self) -> int:
        """How late it began."""
        return self.start_ns - self.due_ns

    def every(self, n: int) -> bool:
        """Whether something that runs at an n-th of the loop's rate runs in this tick.

        By the tick's number, never by comparing times: rounding then skips none and doubles none.
        """
        return self.index % n == 0


class Loop:
    """An iterator of ticks at a fixed rate, or free-running.

    Args:
        rate_hz: ticks a second; None runs free, each tick due as the one before ends. Kept as an
            exact fraction: 59.94 is 59.94, not 17 ms.
        overrun: what happens when a tick is still running as the next falls due.
            "skip" gives up the slots that passed and starts on the next one: phase is kept.
            "catch-up" runs the late slots at once, at most `max_catch_up` of them, and not for
            longer than `max_behind_s` on end; then it skips.
            "slip" starts at once and moves the grid: every tick runs, later.
        budget_s: time a tick has, counted from when it is due; by default the period.
        max_catch_up: how many slots behind "catch-up" still makes up for.
        max_behind_s: for how long it may go on being behind.
        ticks: stop after so many.
        seconds: stop when this much time has passed.
        clock: the only source of time.
        timeline: where spans go; by default a new one on `clock`.
        stamps: returns what the loop's thread has used so far, for the cause of a missed deadline;
            by default asked of the kernel, on the system's clock alone.

    Attributes:
        log: the ticks so far.
        misses: the ticks that missed their deadline, each with its cause.
        speed: how fast time in the ticks (`t_s`, `dt_s`) goes; the rate stays what it is.
        used: what the loop's thread has used from the first moment to the last, once it has ended;
            None where it cannot be known, as on a virtual clock.
        asked: of the spans in some ticks, how long they took and how much of it they computed.
        together: several processes run this loop and have to end with the same tick; then `stop`
            only says so in `wanted`, and whoever lets them agree stops it for good.
        between: called between ticks, on the loop's thread, with the index of the tick that has
            ended and the ns left to the next; while paused, again and again.

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
        max_behind_s: float = 0.25,
        ticks: int | None = None,
        seconds: float | None = None,
        clock: Clock | None = None,
        timeline: Timeline | None = None,
        stamps: Callable[[], Used] | None = None,
    ) -> None:
        for name, value in (
            ("rate_hz", rate_hz),
            ("budget_s", budget_s),
            ("ticks", ticks),
            ("seconds", seconds),
            ("max_catch_up", max_catch_up),
            ("max_behind_s", max_behind_s),
        ):
            if value is not None and not 0 < value < _HUGE:
                raise ValueError(f"{name} must be above 0 and below {_HUGE:g}, not {value}")
        if overrun not in get_args(Overrun):
            raise ValueError(f"overrun is one of {', '.join(get_args(Overrun))}, not {overrun!r}")
        self.rate_hz = rate_hz
        self.overrun = overrun
        self._period = None if rate_hz is None else 10**9 / exact(rate_hz)
        if budget_s is not None:
            self.budget_ns: int | None = max(round(budget_s * 1e9), 1)
        else:
            self.budget_ns = None if self._period is None else max(round(self._period), 1)
        self.max_catch_up = max_catch_up
        self.clock: Clock = clock or (timeline.clock if timeline else SystemClock())
        self.timeline = timeline or Timeline(self.clock)
        self.log = TickLog(budget_ns=self.budget_ns)
        self.misses = Causes(self.timeline, self.log)
        self.ended = ""  # why it stopped, once it has
        self.used: Used | None = None
        self.asked: dict[str, dict[str, int]] = {}
        self.together, self.wanted = False, ""
        self.paused = False
        self.speed = 1.0
        self.between: Callable[[int, int], object] | None = None
        self._max_behind_ns = round(max_behind_s * 1e9)
        self._ticks = ticks
        self._seconds_ns = None if seconds is None else round(seconds * 1e9)
        self._stamps = stamps
        self._steps = 0  # single steps still to be taken while paused
        self._follow: Callable[[], int | None] | None = None

    @property
    def causes(self) -> dict[str, int]:
        """Why deadlines were missed: how often each cause."""
        return self.misses.counts

    def stop(self, reason: str = "stopped", *, agreed: bool = False) -> None:
        """End the loop after the tick that is running. Safe from a signal handler or a thread.

        `agreed` where all processes that run this loop `together` stop in this very tick.
        """
        if self.together and not agreed:
            self.wanted = self.wanted or reason
        else:
            self.ended = self.ended or reason

    def follow(self, wait: Callable[[], int | None]) -> None:
        """Let events set the pace, not the grid: frames of a camera, messages. Before iterating.

        A tick is then due when its event happened, and its deadline is the budget after that; the
        rate stays what is expected. On a grid of its own a loop would fetch each frame up to a
        period late, for a camera keeps another clock.

        Args:
            wait: waits for the next event and returns when it happened, in ns on the loop's
                clock; None when nothing came yet. It comes back ten times a second at least.
        """
        self._follow = wait

    def pause(self) -> None:
        """Hold after the tick that is running; time in the ticks stands still. From any thread."""
        self.paused = True

    def resume(self) -> None:
        """Go on after a pause, on a grid moved by its length: nothing is made up for."""
        self.paused, self._steps = False, 0

    def step(self, ticks: int = 1) -> None:
        """While paused: run so many ticks, each a period on from the one before."""
        self._steps += ticks

    def __iter__(self) -> Generator[Tick, None, None]:
        timeline, clock, log = self.timeline, self.clock, self.log
        warm_up()
        now_ns = clock.now_ns
        timeline.loop_lane = timeline.here()
        span, mark_tick = timeline.here_span(), timeline.here_tick()
        stamps, ask = self._stamps, None
        watching: AbstractContextManager[None] = contextlib.nullcontext()
        if stamps is None and isinstance(clock, SystemClock):
            stamps, watching = _Stamps(), self.misses.watching_gc(now_ns)
            ask = Asked(timeline)
            self.asked = ask.found
        before = stamps() if stamps else None
        origin_ns = last_ns = now_ns()
        follow = self._follow
        grid = None
        if self._period is not None and follow is None:
            behind = (self.max_catch_up, self._max_behind_ns)
            grid = Grid(self._period, self.overrun, *behind, origin_ns)
        budget_ns, t_ns = self.budget_ns, 0
        window = _Window(stamps, origin_ns, self.misses)
        most = _HUGE if self._ticks is None else self._ticks
        until_ns = origin_ns + (10**30 if self._seconds_ns is None else self._seconds_ns)
        # From here on every line counts: after a sleep the caches are cold, and what takes a
        # microsecond in a benchmark takes ten.
        with watching, self._settled():
            while not self.ended:
                if log.count >= most:
                    self.stop("ticks", agreed=True)
                    break
                if (now_ns() if grid is None else grid.due_ns) >= until_ns:
                    self.stop("seconds")
                    if self.ended:
                        break
                if self.paused and self._steps == 0:
                    held_ns = self._hold()
                    last_ns += held_ns
                    if grid is not None:
                        grid.shift(held_ns)
                    continue
                waited, skipped = False, 0
                if grid is None:
                    due_ns = start_ns = now_ns()
                    if follow is not None:
                        came_ns = follow()
                        if came_ns is None or self.ended:
                            continue
                        # one that happened while the tick before ran was not waited for
                        waited = came_ns >= start_ns
                        start_ns = now_ns()
                        due_ns = min(came_ns, start_ns)
                else:
                    due_ns = grid.due_ns
                    while (start_ns := now_ns()) < due_ns and not self.ended:
                        waited = True
                        clock.sleep_until(min(due_ns, start_ns + _NAP_NS))
                    if self.ended:
                        break
                    if waited and start_ns - due_ns > _SUSPENDED_NS:
                        last_ns += self._suspended(grid, start_ns)
                        due_ns = grid.due_ns
                    skipped = grid.skipped
                if self._steps:
                    self._steps -= 1
                index = log.count
                dt_ns = max(due_ns - last_ns, 0)
                if self.speed != 1:
                    dt_ns = round(dt_ns * self.speed)
                t_ns += dt_ns
                last_ns = due_ns
                deadline_ns = None if budget_ns is None else due_ns + budget_ns
                asking = ask if index % ASK_EVERY == 1 else None
                if asking is not None:
                    timeline.ask(asking)
                mark_tick(index, start_ns)
                try:
                    yield Tick(
                        index,
                        due_ns,
                        start_ns,
                        deadline_ns,
                        t_ns,
                        dt_ns,
                        skipped,
                        timeline,
                        asking or span,
                    )
                finally:  # also when the body of the loop raised or broke off
                    end_ns = now_ns()
                    mark_tick(-1, end_ns)
                    if asking is not None:
                        timeline.ask(None)
                    if log.add(due_ns, start_ns, end_ns, skipped):
                        over_ns = end_ns - due_ns - (budget_ns or 0)
                        window.missed(index, due_ns, start_ns, end_ns, over_ns, waited)
                    else:
                        window.passed(due_ns, start_ns, end_ns)
                if grid is not None:
                    grid.next(end_ns)
                if index % _LOOK_EVERY == 0 or timeline.waiting or self.between is not None:
                    next_ns = grid.due_ns if grid else due_ns + (budget_ns or 0) if follow else 0
                    self._between(index, max(next_ns - end_ns, 0))
            if stamps is not None and before is not None:
                self.used = stamps().since(before)
            if grid and self.ended == "seconds":
                log.skipped += grid.skipped_before(until_ns)

    def _hold(self) -> int:
        """Wait while paused; returns how long that was."""
        began_ns = self.clock.now_ns()
        while self.paused and not self._steps and not self.ended:
            if self.between is not None:  # a picture is looked at in a pause more than ever
                self.between(self.log.count - 1, _PAUSED_NAP_NS)
            self.clock.sleep_until(self.clock.now_ns() + _PAUSED_NAP_NS)
        return self.clock.now_ns() - began_ns

    def _suspended(self, grid: Grid, now_ns: int) -> int:
        """Leave out the slots that passed while everything slept; returns the time they took."""
        due_ns, slots = grid.due_ns, grid.passed(now_ns) - 1
        if slots < 4:
            return 0
        grid.give_up(slots)
        self.log.suspended += slots
        return grid.due_ns - due_ns

    def _between(self, index: int, left_ns: int) -> None:
        """What a loop has to do for itself: here no tick is running."""
        self.timeline.collect()
        if index % _FOLD_EVERY == 0 or (index % _LOOK_EVERY == 0 and self.misses.waiting):
            self.timeline.fold(wait=False)
            self.log.fold()
            self.misses.settle()
        if self.between is not None:
            self.between(index, left_ns)

    @contextlib.contextmanager
    def _settled(self) -> Iterator[None]:
        """However the block ends, the books are in order after it."""
        try:
            yield
        finally:
            self.timeline.fold()
            self.log.fold()
            self.misses.settle(final=True)


class _Window:
    """The stretch of time since the kernel was last asked what the loop's thread has used."""

    _ASK_EVERY_NS = 100_000_000

    def __init__(self, stamps: Callable[[], Used] | None, now_ns: int, misses: Causes) -> None:
        self._stamps, self._misses = stamps, misses
        self._open(now_ns)

    def _open(self, now_ns: int) -> None:
        self._since_ns = now_ns
        self._before = self._stamps() if self._stamps else None
        self._gc_before_ns = self._misses.gc_ns
        self._late_ns = self._work_ns = 0

    def passed(self, due_ns: int, start_ns: int, end_ns: int) -> None:
        """A tick met its deadline."""
        if end_ns - self._since_ns > self._ASK_EVERY_NS:
            self._open(end_ns)
        else:
            self._late_ns += start_ns - due_ns
            self._work_ns += end_ns - start_ns

    def missed(
        self, index: int, due_ns: int, start_ns: int, end_ns: int, over_ns: int, waited: bool
    ) -> None:
        """A tick missed its deadline: note it with what was used in the meantime."""
        used = None
        if self._stamps is not None and self._before is not None:
            used = self._stamps().since(self._before)
        gc_ns = self._misses.gc_ns - self._gc_before_ns
        window_ns = end_ns - self._since_ns
        about = (used, window_ns, self._late_ns, self._work_ns)
        self._misses.add(Miss(index, due_ns, start_ns, end_ns, over_ns, waited, gc_ns, *about))
        self._open(end_ns)


@functools.cache
def warm_up() -> None:
    """Import and touch what the bookkeeping needs, before a tick has to wait for it. Once."""
    timeline, log = Timeline(), TickLog(budget_ns=0)
    with timeline.span("warm"):
        timeline.add("up", 0, 1)
    log.add(0, 0, 1, 0)
    misses = Causes(timeline, log)
    misses.add(Miss(0, 0, 0, 1, 1, False, 0, None))
    misses.settle(final=True)


class _Stamps:
    """What the calling thread has used so far, in under 4 µs."""

    def __init__(self) -> None:
        from guide.process import ThreadStamps

        self._thread = ThreadStamps()

    def __call__(self) -> Used:
        mine = self._thread()
        others_ns = time.process_time_ns() - mine.cpu_ns
        return Used(mine.cpu_ns, others_ns, mine.run_delay_ns, mine.forced, mine.major)
