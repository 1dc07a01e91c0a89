"""The timeline: spans, marks and counters of a run, of every thread and any device, on one clock.

    timeline = Timeline()
    with timeline.span("detect"):
        ...
    detect = timeline.site("detect")     # the same, looked up once: for the hottest loops
    with detect:
        ...

How a span is recorded is `recorder.py`'s business, percentiles are `percentiles.py`'s.
"""

from __future__ import annotations

import itertools
import sys
import threading
from collections.abc import Callable, Sequence
from contextlib import AbstractContextManager
from typing import TYPE_CHECKING, Any, NamedTuple

from guide.clock import Clock, SystemClock
from guide.columns import Columns
from guide.percentiles import Histogram, Summary
from guide.recorder import OFF, PHASE_BEGINS, TICK, Recorder

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from guide.asleep import Asked

__all__ = ["Histogram", "SpanColumns", "SpanRecord", "Summary", "Timeline"]

Lane = int | str  # a thread, or the name of a lane that is none ("gpu")

_COUNT_EVERY = 4096  # spans
_MOST_NAMES = 10_000
_MORE = "(more names)"


class SpanRecord(NamedTuple):
    """One finished span."""

    name: str
    start_ns: int
    end_ns: int
    lane: Lane
    tick: int  # index of the tick it belongs to, -1 outside any
    flow: int | None  # same number on spans that follow one frame across threads


class SpanColumns(NamedTuple):
    """The spans that a timeline holds, as numpy arrays of one length, n."""

    names: list[str]  # what `name` counts into
    lanes: list[Lane]  # what `lane` counts into
    start_ns: NDArray[np.int64]
    end_ns: NDArray[np.int64]
    name: NDArray[np.int16]
    lane: NDArray[np.int16]
    tick: NDArray[np.int32]  # -1 outside any tick
    flow: NDArray[np.int64]  # -1 without one


class Mark(NamedTuple):
    """Something that happened at one instant."""

    name: str
    t_ns: int


class CounterSample(NamedTuple):
    """A level at one instant: memory in use, a queue's depth."""

    name: str
    t_ns: int
    value: float


class FlowSpan:
    """A span that follows one frame across threads; dearer than a plain one by an object."""

    __slots__ = ("_flow", "_name", "_start_ns", "_timeline")

    def __init__(self, timeline: Timeline, name: str, flow: int) -> None:
        self._timeline, self._name, self._flow = timeline, name, flow

    def __enter__(self) -> None:
        self._start_ns = self._timeline.now_ns()

    def __exit__(self, *error: object) -> None:
        timeline = self._timeline
        timeline.add(self._name, self._start_ns, timeline.now_ns(), flow=self._flow)


class Timeline:
    """The record of all spans of a run, of every thread and of any device, on one clock.

    Memory is bounded: of a long run the newest `keep` spans are held one by one (at least; at
    most twice as many), 24 bytes each, while `stats()` goes on counting every span there ever was.
    What is recorded waits in lists until `fold` or `stats` counts it, which a loop sees to.

    Args:
        clock: the only source of time.
        keep: how many spans are held one by one.
        enabled: False records no spans, at less than the price of reading the clock twice.
        checked: whether a site that is entered on another thread than its own raises
            RuntimeError. By default in Python's development mode (`python -X dev`).
    """

    def __init__(
        self,
        clock: Clock | None = None,
        keep: int = 100_000,
        *,
        enabled: bool = True,
        checked: bool | None = None,
    ) -> None:
        self.clock: Clock = clock or SystemClock()
        self.now_ns: Callable[[], int] = self.clock.now_ns
        self.enabled = enabled
        self.asking = False  # whether this is a tick whose spans are asked what they computed
        self.loop_lane: Lane | None = None  # the thread whose ticks these are; the loop sets it
        self.lanes: dict[Lane, str] = {}  # names of threads, for the trace
        self._checked = sys.flags.dev_mode if checked is None else checked
        self._keep = keep
        self._tick = -1
        self._names: list[str] = [""]  # 0 is nobody's
        self._ids: dict[str, int] = {}
        self._lane_ids: dict[Lane, int] = {}
        self._here = threading.local()
        self._recorders: list[Recorder] = []
        self._added: list[tuple[int, int, int, int, int, int]] = []  # rows that came whole
        self._waiting: list[tuple[str, str, Callable[[], tuple[int, int] | None], int]] = []
        self._rows: Columns | None = None
        self._flows: Columns | None = None  # beside the rows, once there are any
        self._beside: set[str] = set()
        self._counted = 0  # rows that are in the statistics, of all there ever were
        self._stats: dict[int, Histogram] = {}
        self._marks: list[Mark] = []
        self._counters: list[CounterSample] = []
        self._lock = threading.Lock()
        self._unused = itertools.count(-1, -1)  # lanes of threads whose ident was somebody's before

    @property
    def tick(self) -> int:
        """Index of the tick that is running, -1 between ticks."""
        return self._tick

    @tick.setter
    def tick(self, index: int) -> None:
        self.here_tick()(index, self.now_ns())

    def here_tick(self) -> Callable[[int, int], None]:
        """A function that says, on this thread, that a tick begins, or with -1 that it has ended.

        It takes the tick's index and the time in ns, and has all that it needs at hand.
        """
        extend = self._recorder().pending.extend

        def set_tick(index: int, t_ns: int) -> None:
            self._tick = index
            extend((TICK, index + 1, PHASE_BEGINS, t_ns))

        return set_tick

    @property
    def waiting(self) -> bool:
        """Whether a device's spans are to be asked for."""
        return bool(self._waiting)

    def span(self, name: str, flow: int | None = None) -> AbstractContextManager[None]:
        """A context manager that records the block it wraps.

        Args:
            name: what is done, in a word; spans of one name are summed up together.
            flow: number of the frame it works on, to follow that frame across threads.
        """
        if flow is None:
            return self._recorder().sites[name] if self.enabled else OFF
        return FlowSpan(self, name, flow) if self.enabled else OFF

    def ask(self, asked: Asked | None) -> None:
        """Let another open the spans and end the laps, until it is None again.

        What opens them as ever stands behind it, so that a span pays nothing while nobody asks.
        """
        self.asking = asked is not None
        if asked is not None:
            self.__dict__.update(span=asked, lap=asked.lap, within=asked.within)
            asked.begin()
        elif "span" in self.__dict__:
            del self.span, self.lap, self.within

    def within(self, name: str) -> AbstractContextManager[None]:
        """A context manager around work whose span is recorded by `add`.

        It records none. In the few ticks in which spans are asked how much of their time they
        computed, so is this.
        """
        return OFF

    def site(self, name: str) -> AbstractContextManager[None]:
        """The span `name` of the calling thread, to be entered any number of times: the cheapest.

        It belongs to this thread. On another one it would record on the wrong lane, which
        `checked` finds out.
        """
        return self.span(name)

    def lap(self, name: str) -> Callable[[], None]:
        """A function that ends the phase `name` of a tick, at the price of one read of the clock.

        The phase began with the tick, or with the lap before; so phases follow each other without
        a gap. That of "" ends none: the next one begins there. It belongs to the calling thread,
        as a site does.
        """
        return self._recorder().lap(name) if self.enabled else "".format  # type: ignore[return-value]

    def add(
        self,
        name: str,
        start_ns: int,
        end_ns: int,
        *,
        lane: Lane | None = None,
        tick: int | None = None,
        flow: int | None = None,
    ) -> None:
        """Record a span that was measured elsewhere: by a GPU's own timer, in another process.

        Args:
            name: as for `span`.
            start_ns: when it began, on this timeline's clock.
            end_ns: when it ended; not before `start_ns`, or ValueError.
            lane: the row it is drawn on; by default the calling thread's.
            tick: the tick it belongs to; by default the current one.
            flow: as for `span`.
        """
        if end_ns < start_ns:
            raise ValueError(f"span {name!r} ends {start_ns - end_ns} ns before it starts")
        where = self._lane_id(self._recorder().lane if lane is None else lane)
        tick = self._tick if tick is None else tick
        number, flow = self._name_id(name), -1 if flow is None else flow
        # int(): figures that come out of numpy are none, and JSON would refuse them later.
        self._added.append((int(start_ns), int(end_ns), int(tick), number, where, int(flow)))

    def defer(
        self,
        name: str,
        lane: str,
        read: Callable[[], tuple[int, int] | None],
        tick: int | None = None,
    ) -> None:
        """Record a device's span as soon as its own timer has it: a CUDA event, a GL query.

        Args:
            name: as for `span`.
            lane: the device's row, "gpu".
            read: returns start and end in ns on this timeline's clock, or None while they are not
                known; it is asked between ticks, on the loop's thread, in order, and must not wait.
            tick: the tick it belongs to; by default the current one.
        """
        self._waiting.append((name, lane, read, self._tick if tick is None else tick))

    def collect(self) -> None:
        """Ask for the device spans that are ready. On the thread that owns the device; no wait."""
        while self._waiting and (times := self._waiting[0][2]()) is not None:
            name, lane, _, tick = self._waiting.pop(0)
            self.add(name, *times, lane=lane, tick=tick)

    def mark(self, name: str) -> None:
        """Record that something happened now."""
        self._marks.append(Mark(name, self.now_ns()))
        self._bound(self._marks)

    def counter(self, name: str, value: float, t_ns: int | None = None) -> None:
        """Record a level, as it is now or as it was at `t_ns`."""
        when = self.now_ns() if t_ns is None else int(t_ns)
        self._counters.append(CounterSample(name, when, float(value)))
        self._bound(self._counters)

    def _bound(self, records: list[Any]) -> None:
        if len(records) > 2 * self._keep:
            del records[: self._keep]

    def here(self) -> Lane:
        """The calling thread's lane."""
        return self._recorder().lane

    def here_span(self) -> Callable[[str], AbstractContextManager[None]]:
        """The calling thread's `span`, without the look-up of the thread: what a tick carries."""
        return self._recorder().sites.__getitem__ if self.enabled else lambda name: OFF

    def name_thread(self, name: str) -> None:
        """Give the calling thread's lane a name in the trace."""
        self.lanes[self.here()] = name

    def columns(self, newest: int | None = None) -> SpanColumns:
        """The spans still held, as arrays; of them the `newest` so many."""
        import numpy as np

        self.fold()
        with self._lock:
            lanes = list(self._lane_ids)
            rows = self._rows.rows[-(newest or 0) :].copy() if self._rows else np.empty(0, _row())
            flows = np.full(len(rows), -1)
            if self._flows is not None:
                flows = self._flows.rows[-(newest or 0) :].copy()
        return SpanColumns(
            names=list(self._names),
            lanes=lanes,
            flow=flows,
            **{field: rows[field] for field in ("start_ns", "end_ns", "name", "lane", "tick")},
        )

    def spans(self) -> Sequence[SpanRecord]:
        """The spans still held, in the order in which they ended (of those that came together)."""
        c = self.columns()
        columns = (c.name, c.start_ns, c.end_ns, c.lane, c.tick, c.flow)
        return [
            SpanRecord(c.names[n], start, end, c.lanes[lane], tick, None if flow < 0 else flow)
            for n, start, end, lane, tick, flow in zip(*(x.tolist() for x in columns), strict=True)
        ]

    @property
    def beside(self) -> set[str]:
        """Names of spans that ran on any other lane than the loop's."""
        self.stats()
        return self._beside

    @property
    def dropped(self) -> int:
        """How many spans `stats` knows that are no longer held one by one."""
        return self._rows.dropped if self._rows else 0

    def marks(self) -> Sequence[Mark]:
        """The marks still held, oldest first."""
        return self._marks[:]

    def counters(self) -> Sequence[CounterSample]:
        """The counter samples still held, oldest first."""
        return self._counters[:]

    def stats(self) -> dict[str, Histogram]:
        """Durations by span name, of every span recorded so far. Safe from any thread."""
        self.fold()
        with self._lock:
            self._count()
            return {self._names[number]: histogram for number, histogram in self._stats.items()}

    def fold(self, *, wait: bool = True) -> None:
        """Work out what was recorded since the last call, and let go of what is more than kept.

        Safe from any thread. The loop calls it now and then, and `stats` does; without `wait` it
        leaves the work to the thread that is at it already.
        """
        if not self._lock.acquire(blocking=wait):
            return
        try:
            # The loop's first: it tells the others which tick ran.
            for recorder in sorted(self._recorders, key=lambda r: r.lane != self.loop_lane):
                alive = recorder.thread.is_alive()  # asked first: what it still records is not lost
                self._take(recorder)
                if not alive:
                    self._recorders.remove(recorder)
            if self._added:
                self._take_added()
        finally:
            self._lock.release()

    def _take(self, recorder: Recorder) -> None:
        found = recorder.decode()
        if found is None:
            return
        import numpy as np

        tick = found.tick
        loop = next((r for r in self._recorders if r.lane == self.loop_lane), recorder)
        if loop is not recorder:
            tick = loop.ticks_at(found.end_ns)
        rows = np.empty(len(tick), _row())
        rows["start_ns"], rows["end_ns"], rows["tick"] = found.start_ns, found.end_ns, tick
        rows["name"], rows["lane"] = found.name, self._lane_id(recorder.lane)
        self._keep_rows(rows, None)

    def _take_added(self) -> None:
        import numpy as np

        part = self._added[:]
        del self._added[: len(part)]
        columns = np.array(part, np.int64).T
        self._keep_rows(np.rec.fromarrays(columns[:5], dtype=_row()), columns[5])

    def _keep_rows(self, rows: NDArray[Any], flows: NDArray[np.int64] | None) -> None:
        import numpy as np

        if self._rows is None:
            self._rows = Columns(self._keep, _row())
        if self._flows is None and flows is not None:
            self._flows = Columns(self._keep, np.dtype(np.int64))
            for i in range(0, self._rows.count, self._keep):  # those so far had none
                self._flows.extend(np.full(min(self._keep, self._rows.count - i), -1))
        for i in range(0, len(rows), self._keep):
            part = rows[i : i + self._keep]
            if len(part) > self._rows.room:
                self._count()  # before some of them are let go of
            self._rows.extend(part)
            if self._flows is not None:
                self._flows.extend(
                    np.full(len(part), -1) if flows is None else flows[i:][: len(part)]
                )
        if self._rows.dropped + self._rows.count - self._counted >= _COUNT_EVERY:
            self._count()

    def _count(self) -> None:
        """Count the durations of new rows: by the thousand, for a few cost as much."""
        if self._rows is None:
            return
        import numpy as np

        rows = self._rows.rows[self._counted - self._rows.dropped :]
        self._counted += len(rows)
        took = rows["end_ns"] - rows["start_ns"]
        for number in np.unique(rows["name"]).tolist():
            of_name = rows["name"] == number
            histogram = self._stats.get(number)
            if histogram is None:
                histogram = self._stats[number] = Histogram()
            histogram.record_many(took[of_name])
            if self.loop_lane is not None:
                mine = self._lane_id(self.loop_lane)
                if (rows["lane"][of_name] != mine).any():
                    self._beside.add(self._names[number])

    def _recorder(self) -> Recorder:
        try:
            return self._here.recorder  # type: ignore[no-any-return]
        except AttributeError:
            return self._join()

    def _join(self) -> Recorder:
        """Make the calling thread's recorder."""
        thread = threading.current_thread()
        with self._lock:
            lane: int = threading.get_ident()
            if lane in self._lane_ids:
                lane = next(self._unused)
            self._lane_ids[lane] = len(self._lane_ids)
        recorder = Recorder(self.now_ns, lane, self._name_id, checked=self._checked)
        if not thread.name.startswith("Thread-"):
            self.lanes.setdefault(lane, thread.name)
        self._here.recorder = recorder
        self._recorders.append(recorder)
        return recorder

    def _name_id(self, name: str) -> int:
        number = self._ids.get(name)
        if number is None:
            # A name per item (f"frame {i}") would grow for ever, and tell nobody anything.
            if len(self._names) >= _MOST_NAMES and name != _MORE:
                return self._name_id(_MORE)
            with self._lock:
                number = self._ids.setdefault(name, len(self._names))
                if number == len(self._names):
                    self._names.append(name)
        return number

    def _lane_id(self, lane: Lane) -> int:
        return self._lane_ids.setdefault(lane, len(self._lane_ids))


def _row() -> np.dtype[Any]:
    """One span: 24 bytes, in the order of `_added`."""
    import numpy as np

    return np.dtype(
        [("start_ns", "i8"), ("end_ns", "i8"), ("tick", "i4"), ("name", "i2"), ("lane", "i2")]
    )
