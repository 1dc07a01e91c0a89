"""Why a deadline was missed: from stamps that were taken anyway, the part that cost the most.

A tick that is done late began late, or took long; and what made it so leaves a trace. The loop's
thread waited for a processor (the kernel counts how long), the interpreter was collecting garbage
(it says when), other threads of this process ran while the loop wanted to (then they had the
interpreter's lock), pages came from disk (the kernel counts them), or one phase simply took longer
than it mostly does (its span says so). The largest of these is called the cause.
"""

from __future__ import annotations

import gc
from collections import deque
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any, NamedTuple

from guide.units import duration

if TYPE_CHECKING:
    from guide.ticks import TickLog
    from guide.timing import SpanColumns, Timeline

_KEEP = 1000  # misses held one by one
_FLIGHTS = 10
_BEFORE, _AFTER = 4, 2  # ticks of a flight record, around the one it is kept for
_FLIGHT_SPANS = 600
_NEWEST = 8192  # spans looked at: what has happened since the last few ticks
_PAUSE_NS = 50_000  # a shorter collection is not worth a span


class Used(NamedTuple):
    """What the loop's thread has been through, so far or in a stretch of time.

    Asking the kernel costs 60 µs where caches are cold, as they are after a sleep. So it is asked
    ten times a second and after each miss, and what is known of the ticks since then is taken off.
    """

    cpu_ns: int  # of this thread
    others_ns: int  # CPU time of all other threads of this process
    run_delay_ns: int  # ready to run, and no processor free
    forced: int  # times the kernel took the processor away
    major: int  # pages that had to come from disk

    def since(self, before: Used) -> Used:
        """The difference to an earlier reading."""
        return Used(*(now - then for now, then in zip(self, before, strict=True)))


class Miss(NamedTuple):
    """A tick that was done after its deadline, as the loop saw it."""

    tick: int
    due_ns: int
    start_ns: int
    end_ns: int
    over_ns: int
    waited: bool  # the loop was asleep before it: had it woken in time, it would have begun in time
    gc_ns: int
    used: Used | None  # since `window_ns` before its end; None on a virtual clock
    window_ns: int = 0
    late_before_ns: int = 0  # by how much the ticks in that time that were not missed began late,
    work_before_ns: int = 0  # and how long they took, in all


class Explained(NamedTuple):
    """A miss with its cause, in a few words and in a sentence."""

    miss: Miss
    cause: str
    text: str


class Flight(NamedTuple):
    """The ticks around one that matters, with all their spans."""

    tick: int
    why: str  # "missed", "error", "signal"
    over_ns: int
    spans: list[tuple[str, int | str, int, int]]  # name, lane, start, duration
    ticks: list[tuple[int, int, int, int]]  # index, due, start, end


def explain(miss: Miss, took: Mapping[str, int], usual: Mapping[str, int]) -> tuple[str, str]:
    """The cause of a miss, and a sentence about it.

    Args:
        miss: the tick.
        took: ns that each span of the tick took.
        usual: ns that each of them mostly takes (p50).
    """
    late_ns = miss.start_ns - miss.due_ns
    used = miss.used or Used(0, 0, 0, 0, 0)
    parts: list[tuple[int, str, str]] = []
    delay_ns = max(used.run_delay_ns - miss.late_before_ns, 0)
    in_tick_ns = delay_ns
    if late_ns > 0 and not miss.waited:
        text = f"began {duration(late_ns)} late: the tick before ran over"
        parts.append((late_ns, "behind", text))
    elif late_ns > 0:
        cause, why = "woke late", "the machine took its time"
        if delay_ns >= late_ns / 2:
            cause, why = "woke late: no free processor", "other work had the processors"
            in_tick_ns = max(delay_ns - late_ns, 0)
        elif used.others_ns >= max(late_ns / 2, miss.window_ns / 8):
            cause, why = "woke late: gil", "another thread of this process held the interpreter"
        parts.append((late_ns, cause, f"woke {duration(late_ns)} late: {why}"))
    parts.append((miss.gc_ns, "gc", f"garbage was collected for {duration(miss.gc_ns)}"))
    if used.forced and in_tick_ns >= miss.over_ns:  # or it would have been late without that, too
        text = f"the kernel took the processor away for {duration(in_tick_ns)}"
        parts.append((in_tick_ns, "preempted", text))
    if used.major:
        work_ns = miss.end_ns - miss.start_ns
        waited_ns = work_ns + miss.work_before_ns - used.cpu_ns - in_tick_ns
        waited_ns = min(max(waited_ns, 0), work_ns)
        pages = "1 page" if used.major == 1 else f"{used.major} pages"
        parts.append((waited_ns, "page fault", f"{pages} came from disk"))
    ours_ns = miss.end_ns - miss.start_ns - sum(ns for ns, *_ in parts if ns) + max(late_ns, 0)
    parts.append(_phase(miss, took, usual, ours_ns))
    _, cause, text = max(parts, key=lambda part: part[0])
    return cause, f"{text}; {duration(miss.over_ns)} over"


def _phase(
    miss: Miss, took: Mapping[str, int], usual: Mapping[str, int], ours_ns: int
) -> tuple[int, str, str]:
    """The phase that ran over: the one furthest above what it mostly takes, or the longest."""
    work_ns = miss.end_ns - miss.start_ns
    if not took:
        return ours_ns, "over budget", f"the tick took {duration(work_ns)}"
    above = {name: ns - usual.get(name, 0) for name, ns in took.items()}
    most = max(above.values())
    # Of spans that nest, the innermost that holds most of the excess says where to look.
    name = min((n for n in above if above[n] >= most - abs(most) / 5), key=lambda n: took[n])
    if above[name] < miss.over_ns / 2:  # nothing unusual: this is what a tick takes here
        name = max(took, key=lambda n: took[n])
    text = f"{name} took {duration(took[name])}, mostly {duration(usual.get(name, 0))}"
    return min(took[name], ours_ns), f"over budget: {name}", text


class Causes:
    """Explains misses in batches, and keeps the flight records of the worst.

    Attributes:
        counts: cause -> how many ticks missed their deadline over it.
        explained: the newest misses, oldest first.
        flights: the ticks around the worst misses, worst first.
    """

    def __init__(self, timeline: Timeline, log: TickLog) -> None:
        self.counts: dict[str, int] = {}
        self.explained: deque[Explained] = deque(maxlen=_KEEP)
        self.flights: list[Flight] = []
        self._timeline, self._log = timeline, log
        self._waiting: list[Miss] = []
        self.gc_ns = 0  # spent on collecting so far
        self._collections: list[tuple[int, int]] = []

    @property
    def waiting(self) -> bool:
        """Whether misses wait to be explained."""
        return bool(self._waiting)

    def add(self, miss: Miss) -> None:
        """Note a miss; it is explained by the next `settle`."""
        self._waiting.append(miss)

    def settle(self, *, final: bool = False) -> None:
        """Explain what is waiting; ticks too new for a flight record wait, unless it is the end."""
        timeline = self._timeline
        while self._collections:
            timeline.add("gc", *self._collections.pop(0), lane=timeline.loop_lane)
        done = self._log.count - (0 if final else _AFTER)
        ready = [miss for miss in self._waiting if miss.tick < done]
        if not ready:
            return
        self._waiting = [miss for miss in self._waiting if miss.tick >= done]
        spans = timeline.columns(_NEWEST)
        took = self.took({miss.tick for miss in ready}, spans)
        for of_tick in took.values():
            if len(of_tick) > 1:
                of_tick.pop("gc", None)  # it lies within another, and has a cause of its own
        names = {name for of_tick in took.values() for name in of_tick}
        stats = timeline.stats()
        usual = {name: stats[name].percentile(50) for name in names if name in stats}
        for miss in ready:
            cause, text = explain(miss, took.get(miss.tick, {}), usual)
            self.counts[cause] = self.counts.get(cause, 0) + 1
            self.explained.append(Explained(miss, cause, text))
        for miss in sorted(ready, key=lambda m: -m.over_ns)[:_FLIGHTS]:
            if len(self.flights) < _FLIGHTS or miss.over_ns > self.flights[-1].over_ns:
                self.keep_flight(miss.tick, "missed", miss.over_ns, spans)

    def took(self, wanted: set[int], spans: SpanColumns | None = None) -> dict[int, dict[str, int]]:
        """Of each tick in `wanted`: how long each of its spans on the loop's thread took."""
        import numpy as np

        spans = spans or self._timeline.columns()
        lane = self._timeline.loop_lane
        here = spans.lanes.index(lane) if lane in spans.lanes else -1
        rows = np.flatnonzero(np.isin(spans.tick, list(wanted)) & (spans.lane == here))
        took: dict[int, dict[str, int]] = {}
        for i in rows.tolist():
            name = spans.names[spans.name[i]]
            of_tick = took.setdefault(int(spans.tick[i]), {})
            of_tick[name] = of_tick.get(name, 0) + int(spans.end_ns[i] - spans.start_ns[i])
        return took

    def keep_flight(
        self, tick: int, why: str, over_ns: int = 0, spans: SpanColumns | None = None
    ) -> None:
        """Keep the ticks around `tick` with all spans that touch them; the worst ten stay."""
        import numpy as np

        c = self._log.columns()
        ends = np.array([tick - _BEFORE, tick + _AFTER + 1]) - c.first
        first, last = np.clip(ends, 0, len(c.due_ns)).tolist()
        ticks = [
            (c.first + i, int(c.due_ns[i]), int(c.start_ns[i]), int(c.end_ns[i]))
            for i in range(first, last)
        ]
        if not ticks:
            return
        s = spans or self._timeline.columns(_NEWEST)
        within = (s.end_ns >= ticks[0][2]) & (s.start_ns <= ticks[-1][3])
        rows = np.flatnonzero(within)[-_FLIGHT_SPANS:].tolist()
        kept: list[tuple[str, int | str, int, int]] = []
        for i in rows:
            start_ns, end_ns = int(s.start_ns[i]), int(s.end_ns[i])
            kept.append((s.names[s.name[i]], s.lanes[s.lane[i]], start_ns, end_ns - start_ns))
        self.flights.append(Flight(tick, why, over_ns, kept, ticks))
        # What was asked for stays whatever it cost; of the misses the worst do.
        self.flights.sort(key=lambda flight: (flight.why == "missed", -flight.over_ns))
        del self.flights[_FLIGHTS:]

    @contextmanager
    def watching_gc(self, now_ns: Callable[[], int]) -> Iterator[None]:
        """Within the block, note every collection of garbage and how long it took."""
        began_ns = 0

        def noted(phase: str, info: Mapping[str, Any]) -> None:
            # It may run anywhere, even where the timeline holds its lock: so a list, no more.
            nonlocal began_ns
            if phase == "start":
                began_ns = now_ns()
                return
            end_ns = now_ns()
            self.gc_ns += end_ns - began_ns
            if end_ns - began_ns > _PAUSE_NS:
                self._collections.append((began_ns, end_ns))

        gc.callbacks.append(noted)
        try:
            yield
        finally:
            gc.callbacks.remove(noted)


def sentence(counts: Mapping[str, int]) -> str:
    """The three most frequent causes in a few words: "woke late 7, gc 3"."""
    ranked: Sequence[tuple[str, int]] = sorted(counts.items(), key=lambda item: -item[1])
    rest = sum(n for _, n in ranked[3:])
    words = [f"{cause} {n:,}" for cause, n in ranked[:3]]
    return ", ".join([*words, f"other {rest:,}"] if rest else words)
