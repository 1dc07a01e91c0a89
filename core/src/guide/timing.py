"""Spans, the timeline that keeps them, and percentiles in fixed memory.

A span is a named interval. Entering one reads the clock, leaving it reads the clock again and
appends one tuple: no lock, no look-up, nothing summed. Statistics are folded out of the tuples
later, by whoever asks for them.
"""

from __future__ import annotations

import math
import threading
from array import array
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from types import TracebackType
from typing import NamedTuple

from guide.clock import Clock, SystemClock


class SpanRecord(NamedTuple):
    """One finished span."""

    name: str
    start_ns: int
    end_ns: int
    lane: int | str  # the thread's ident, or the name of a lane that is no thread ("gpu")
    tick: int  # index of the tick it belongs to, -1 outside any
    flow: int | None  # same number on spans that follow one frame across threads


class Mark(NamedTuple):
    """Something that happened at one instant."""

    name: str
    t_ns: int


class CounterSample(NamedTuple):
    """A level at one instant: memory in use, a queue's depth."""

    name: str
    t_ns: int
    value: float


class Span:
    """`with timeline.span("detect"):` records one span when the block ends, raised or not."""

    __slots__ = ("_flow", "_name", "_now_ns", "_start_ns", "_timeline")

    def __init__(self, timeline: Timeline, name: str, flow: int | None) -> None:
        self._timeline = timeline
        self._now_ns = timeline.now_ns
        self._name = name
        self._flow = flow

    def __enter__(self) -> Span:
        self._start_ns = self._now_ns()
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        end_ns = self._now_ns()
        timeline = self._timeline
        timeline._append(
            SpanRecord(
                self._name, self._start_ns, end_ns, threading.get_ident(), timeline.tick, self._flow
            )
        )


class Timeline:
    """The record of all spans of a run, of every thread and of any device, on one clock.

    Memory is bounded: of a long run the newest `keep` spans are held one by one (at least; at
    most twice as many), while `stats()` goes on
    counting every span there ever was.
    """

    def __init__(self, clock: Clock | None = None, keep: int = 100_000) -> None:
        self.clock: Clock = clock or SystemClock()
        self.now_ns: Callable[[], int] = self.clock.now_ns
        self.tick = -1  # the loop sets it as each tick begins
        self.loop_lane: int | None = None  # the thread whose ticks these are; the loop sets it
        self.beside: set[str] = set()  # names of spans that ran on any other lane
        self.lanes: dict[int | str, str] = {}  # names of threads, for the trace
        self.dropped = 0  # spans that stats() knows and spans() no longer holds
        self._keep = keep
        self._spans: list[SpanRecord] = []
        self._append: Callable[[SpanRecord], None] = self._spans.append
        self._folded = 0
        self._stats: dict[str, Histogram] = {}
        self._marks: list[Mark] = []
        self._counters: list[CounterSample] = []
        self._lock = threading.Lock()

    def span(self, name: str, flow: int | None = None) -> Span:
        """A context manager that records the block it wraps.

        Args:
            name: what is done, in a word; spans of one name are summed up together.
            flow: number of the frame it works on, to follow that frame across threads.
        """
        return Span(self, name, flow)

    def add(
        self,
        name: str,
        start_ns: int,
        end_ns: int,
        *,
        lane: int | str | None = None,
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
        where = threading.get_ident() if lane is None else lane
        tick = self.tick if tick is None else int(tick)
        flow = None if flow is None else int(flow)
        # int(): figures that come out of numpy are none, and JSON would refuse them later.
        self._append(SpanRecord(name, int(start_ns), int(end_ns), where, tick, flow))

    def mark(self, name: str) -> None:
        """Record that something happened now."""
        self._marks.append(Mark(name, self.now_ns()))
        self._bound(self._marks)

    def counter(self, name: str, value: float, t_ns: int | None = None) -> None:
        """Record a level, as it is now or as it was at `t_ns`."""
        when = self.now_ns() if t_ns is None else int(t_ns)
        self._counters.append(CounterSample(name, when, float(value)))
        self._bound(self._counters)

    def _bound(self, records: list[Mark] | list[CounterSample]) -> None:
        if len(records) > 2 * self._keep:
            del records[: self._keep]

    def name_thread(self, name: str) -> None:
        """Give the calling thread's lane a name in the trace."""
        self.lanes[threading.get_ident()] = name

    def spans(self) -> Sequence[SpanRecord]:
        """The spans still held, in the order in which they ended."""
        with self._lock:
            return self._spans[:]

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
            return dict(self._stats)

    def fold(self, *, wait: bool = True) -> None:
        """Count what was recorded since the last call, and let go of what is more than kept.

        Safe from any thread. The loop calls it now and then, and `stats` does; without `wait` it
        leaves the work to the thread that is at it already.
        """
        if not self._lock.acquire(blocking=wait):
            return
        try:
            upto = len(self._spans)
            for span in self._spans[self._folded : upto]:
                histogram = self._stats.get(span.name)
                if histogram is None:
                    histogram = self._stats[span.name] = Histogram()
                histogram.record(span.end_ns - span.start_ns)
                if self.loop_lane is not None and span.lane != self.loop_lane:
                    self.beside.add(span.name)
            self._folded = upto
            if upto > 2 * self._keep:
                # In place: threads hold the list's own append.
                del self._spans[: upto - self._keep]
                self.dropped += upto - self._keep
                self._folded = self._keep
        finally:
            self._lock.release()


_SUB_BITS = 5  # 32 buckets an octave: a value is known to 1/64, about 1.6 %
_SUB = 1 << _SUB_BITS
_BUCKETS = (64 - _SUB_BITS) * _SUB


class Histogram:
    """A log-linear histogram of non-negative integers: 15 KiB whatever it has seen.

    Every percentile is within 1.6 % of the exact one (nearest-rank); count, total, smallest and
    largest are exact; two can be merged. The layout is that of HdrHistogram
    (http://hdrhistogram.org): 32 equal buckets for each power of two.
    """

    __slots__ = ("_buckets", "count", "largest", "smallest", "total")

    def __init__(self, values: Iterable[int] = ()) -> None:
        self._buckets = array("q", bytes(8 * _BUCKETS))
        self.count = 0
        self.total = 0
        self.smallest = 0
        self.largest = 0
        for value in values:
            self.record(value)

    def record(self, value: int) -> None:
        """Count one value. A negative one counts as 0, one past 2**63 as 2**63 - 1."""
        value = min(max(value, 0), (1 << 63) - 1)
        shift = max(value.bit_length() - _SUB_BITS - 1, 0)
        self._buckets[(shift << _SUB_BITS) + (value >> shift)] += 1
        if not self.count or value < self.smallest:
            self.smallest = value
        if value > self.largest:
            self.largest = value
        self.count += 1
        self.total += value

    def merge(self, other: Histogram) -> None:
        """Count everything that `other` has counted."""
        if not other.count:
            return
        for index, n in enumerate(other._buckets):
            if n:
                self._buckets[index] += n
        self.smallest = min(self.smallest, other.smallest) if self.count else other.smallest
        self.largest = max(self.largest, other.largest)
        self.count += other.count
        self.total += other.total

    @property
    def mean(self) -> float:
        """The arithmetic mean; 0 when empty."""
        return self.total / self.count if self.count else 0.0

    def percentile(self, q: float) -> int:
        """The value that `q` percent of the recorded ones do not exceed (nearest-rank).

        Returns 0 when empty. Raises ValueError for `q` outside 0 to 100.
        """
        if not 0 <= q <= 100:
            raise ValueError(f"a percentile lies between 0 and 100, not at {q}")
        if not self.count:
            return 0
        # Multiplied first: 7 / 100 * 100 is a little more than 7, and would be rank 8.
        rank = max(math.ceil(q * self.count / 100), 1)
        if rank >= self.count:
            return self.largest
        seen = index = 0
        while (seen := seen + self._buckets[index]) < rank:
            index += 1
        shift = max((index >> _SUB_BITS) - 1, 0)
        low = (index - (shift << _SUB_BITS)) << shift
        return min(max(low + (1 << shift) // 2, self.smallest), self.largest)


@dataclass(frozen=True, slots=True)
class Summary:
    """What a person reads of a distribution; all times in ns."""

    count: int
    mean_ns: float
    p50_ns: int
    p90_ns: int
    p99_ns: int
    max_ns: int

    @classmethod
    def of(cls, histogram: Histogram) -> Summary:
        """The summary of a histogram of durations in ns."""
        return cls(
            count=histogram.count,
            mean_ns=histogram.mean,
            p50_ns=histogram.percentile(50),
            p90_ns=histogram.percentile(90),
            p99_ns=histogram.percentile(99),
            max_ns=histogram.largest,
        )
