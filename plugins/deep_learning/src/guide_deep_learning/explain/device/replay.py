"""The same stretch again with something taken away, to see how long it would take.

The device is one queue: work starts when what came before it is done and its launch has arrived.
The host runs ahead of it, until it waits for it. So

    finish = max(finish of the one before, launch + way to the device) + what it takes
    host after a wait = max(host before it, finish of what it waited for)

and everything that is taken away from the host moves all of its later launches. The same queue
with nothing taken away is the measure: what a cause costs is the difference of two replays.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field

import numpy as np
from numpy.typing import NDArray

from guide.explain.trace import Bools, Ints, Trace, Window, covered_ns, union
from guide_deep_learning.explain.device.host import Intervals, without
from guide_deep_learning.explain.device.waits import Waits
from guide_deep_learning.explain.device.work import Work

NOTHING: Intervals = (np.empty(0, np.int64), np.empty(0, np.int64))


@dataclass(frozen=True, slots=True, eq=False)
class Change:
    """What is taken away.

    Attributes:
        host: intervals of the host's time.
        waits: indices of waits.
        device: what each piece of a queue's work is shorter by, in ns; None: nothing.
    """

    host: Intervals = NOTHING
    waits: Ints = field(default_factory=lambda: NOTHING[0])
    device: Ints | None = None

    def __or__(self, other: Change) -> Change:
        device = self.device
        if other.device is not None:
            device = other.device if device is None else np.maximum(device, other.device)
        return Change(
            union(
                np.concatenate((self.host[0], other.host[0])),
                np.concatenate((self.host[1], other.host[1])),
            ),
            np.union1d(self.waits, other.waits),
            device,
        )

    @property
    def empty(self) -> bool:
        """Whether it takes nothing away."""
        return not len(self.host[0]) and not len(self.waits) and self.device is None


@dataclass(frozen=True, slots=True, eq=False)
class Queue:
    """A stretch of a trace as a queue.

    Attributes:
        window: the stretch; it ends when the host has, and the device.
        host_end_ns: when the host was done with it.
        first: index into the work of the first piece.
        begin_ns, piece_ns: what each adds to the device's time: from when, and how long.
            Of work side by side the later one adds only what the earlier does not cover.
        idle_ns: how long the device was idle before each.
        held_ns: the part of it that no earlier launch would have saved.
        launch_ns, way_ns: when it was asked for, and how long that takes to arrive.
        waits: the host's waits in the stretch.
        after: how many of them came before each launch.
    """

    window: Window
    host_end_ns: int
    first: int
    begin_ns: Ints
    piece_ns: Ints
    idle_ns: Ints
    held_ns: Ints
    launch_ns: Ints
    way_ns: Ints
    waits: Waits
    after: Ints

    def shorter(self, work: Work, which: Bools, factor: float | NDArray[np.float64]) -> Ints:
        """What each piece is shorter by if some of the work took `factor` of its time.

        Only where nothing else ran beside it: what is hidden costs nothing, and saves nothing.
        """
        n = len(self.piece_ns)
        mine = np.zeros(len(work), bool)
        mine[self.first : self.first + n] = which[self.first : self.first + n]
        cover = union(work.start_ns[~mine], work.end_ns[~mine])
        starts, ends = union(work.start_ns[mine], work.end_ns[mine])
        alone = without((starts, ends), cover, self.window)
        own = covered_ns(alone, self.begin_ns, self.begin_ns + self.piece_ns)
        factors = factor if isinstance(factor, float) else factor[self.first : self.first + n]
        saved: Ints = np.round(own * (1.0 - factors)).astype(np.int64)
        return saved

    def replay(self, change: Change | None = None) -> int:
        """How long the stretch takes with `change` taken away, in ns."""
        change = change or Change()
        start = self.window.start_ns
        piece = self.piece_ns
        if change.device is not None:
            piece = piece - np.minimum(change.device, piece)
        finish = np.cumsum(piece + self.held_ns)
        before = finish - piece - self.held_ns
        n, m = len(piece), len(self.waits.start_ns)
        moments = np.concatenate(
            (self.launch_ns, self.waits.start_ns, self.waits.end_ns, [self.host_end_ns])
        )
        gone = covered_ns(change.host, np.full(len(moments), start), moments)
        host = moments - np.where(moments > start, gone, 0)
        ready = host[:n] + self.way_ns - before
        arrive, leave = host[n : n + m].tolist(), host[n + m : n + 2 * m].tolist()
        until = np.clip(self.waits.until - self.first + 1, 0, n).tolist()
        removed = np.isin(self.waits.call, change.waits).tolist()
        shifts = np.zeros(m + 1, np.int64)
        done, device, shift = 0, start, 0

        def run(first: int, end: int, known: int) -> int:
            """The device's time after the pieces from `first` to `end`."""
            when = ready[first:end] + shifts[np.minimum(self.after[first:end], known)]
            return max(device - int(before[first]), int(when.max())) + int(finish[end - 1])

        for wait in range(m):
            if until[wait] > done:
                device = run(done, until[wait], wait)
                done = until[wait]
            arrived = arrive[wait] + shift
            shift = (arrived if removed[wait] else max(arrived, device)) - leave[wait]
            shifts[wait + 1] = shift
        if n > done:
            device = run(done, n, m)
        return max(device, int(host[-1]) + shift) - start


def queue_of(trace: Trace, work: Work, waits: Waits) -> Queue:
    """The steps of a trace as a queue."""
    window, host_end = _window(trace, work)
    first = int(np.searchsorted(np.maximum.accumulate(work.end_ns), window.start_ns, "right"))
    end = int(np.searchsorted(work.start_ns, window.end_ns))
    start_ns, end_ns = work.start_ns[first:end], work.end_ns[first:end]
    reached = np.maximum(work.reached_ns[first:end], window.start_ns)
    idle = np.maximum(start_ns - reached, 0)
    begin = np.maximum(start_ns, reached)
    piece = np.maximum(end_ns - begin, 0)
    launch, call = work.launch_ns[first:end], work.launch[first:end]
    known = call >= 0
    returned = np.where(known, trace.events.end_ns[call], 0)
    way = start_ns - launch
    usual = _usual_way(way[known & (idle > 0)])
    # A call may take long before it launches; one that was made while the device was busy did not
    slow = (launch >= reached) & (start_ns <= returned + AT_ONCE)
    at_once = known & ((way <= AT_ONCE) | slow) & (idle > 0)
    ready = np.where(at_once, start_ns, launch + np.minimum(usual, np.maximum(way, 0)))
    # Without a launch: after a pause it came when the work began, otherwise long before
    launch = np.where(known, launch, np.where(idle > 0, start_ns, window.start_ns))
    ready = np.where(known, ready, launch)
    held = np.clip(start_ns - np.maximum(reached, ready), 0, idle)
    inside = np.flatnonzero(
        (waits.start_ns >= run_of(trace.steps)[0].start_ns) & (waits.start_ns < host_end)
    )
    kept = Waits(*(column[inside] for column in waits.columns))
    after = np.searchsorted(kept.start_ns, launch)
    return Queue(
        window, host_end, first, begin, piece, idle, held, launch, ready - launch, kept, after
    )


_HOLE = 0.2  # of a step, between two steps that follow one another


def run_of(steps: Sequence[Window]) -> Sequence[Window]:
    """The longest run of steps that follow one another; what lies between others is unknown."""
    usual = sorted(step.ns for step in steps)[len(steps) // 2]
    runs: list[list[Window]] = []
    for step in steps:
        if runs and step.start_ns - runs[-1][-1].end_ns <= _HOLE * usual:
            runs[-1].append(step)
        else:
            runs.append([step])
    return max(runs, key=len)


AT_ONCE = 15_000
"""ns from a launch to a start within which nothing else was waited for."""


def _usual_way(ways: Ints) -> int:
    if not len(ways):
        return 5_000
    return int(np.clip(np.percentile(ways, 25), 0, AT_ONCE))


def _window(trace: Trace, work: Work) -> tuple[Window, int]:
    """From the first step's begin, or the end of what was asked for before, to the last's end."""
    steps = run_of(trace.steps)
    host_start, host_end = steps[0].start_ns, steps[-1].end_ns
    if not trace.stepped:
        begin, end = int(work.start_ns.min()), int(work.end_ns.max())
        return Window(begin, end), end
    asked = np.where(work.launch_ns >= 0, work.launch_ns, work.start_ns)
    earlier, mine = work.end_ns[asked < host_start], work.end_ns[asked < host_end]
    start = max(host_start, int(earlier.max(initial=host_start)))
    end = max(host_end, int(mine.max(initial=host_end)))
    return Window(start, end), host_end
