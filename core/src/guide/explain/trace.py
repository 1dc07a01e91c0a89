"""A trace as rules see it: events in columns, the steps they belong to, what lies inside of what.

Traces of torch's profiler, of any since 1.9 and of AMD's GPUs too, and of our own runs have one
shape here. Times are integer nanoseconds from the first event.
"""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, NamedTuple

import numpy as np
from numpy.typing import NDArray

Ints = NDArray[np.int64]
Bools = NDArray[np.bool_]

CATEGORIES = (
    "op",  # an operator of torch's, on the host
    "runtime",  # a call into CUDA's or HIP's runtime or driver, on the host
    "kernel",
    "memcpy",
    "memset",
    "annotation",  # what the program named: a step, an optimizer
    "device annotation",  # the same as the device saw it
    "python",  # a function of Python's
    "span",  # of a run of ours
    "tick",
    "other",
)
"""What an event can be; `Events.category` counts from here."""

DEVICE = ("kernel", "memcpy", "memset")
"""The categories of work that a device did."""


_ROUNDED = 1000  # ns
_AGES = 1 << 62  # ns, 146 years: no step takes as long


class Window(NamedTuple):
    """A stretch of time: one step."""

    start_ns: int
    end_ns: int
    name: str = ""

    @property
    def ns(self) -> int:
        """How long it is."""
        return self.end_ns - self.start_ns


@dataclass(frozen=True, slots=True, eq=False)
class Events:
    """Events of a trace, sorted by start, outer ones before inner ones; columns of equal length.

    Attributes:
        start_ns, end_ns: when.
        name: index into `names`.
        category: index into CATEGORIES.
        track: index into `tracks`: the thread or the stream it lies on.
        correlation: what a launch and the kernel it started share; -1: nothing.
        device: number of the device that did it; -1: the host.
        bytes: what a copy moved; -1: unknown.
        shape: index into `shapes`, the "Input Dims" of an operator as text; -1: unknown.
    """

    start_ns: Ints
    end_ns: Ints
    name: Ints
    category: Ints
    track: Ints
    correlation: Ints
    device: Ints
    bytes: Ints
    shape: Ints
    names: Sequence[str]
    tracks: Sequence[str]
    shapes: Sequence[str] = ()

    def __len__(self) -> int:
        return len(self.start_ns)

    @property
    def ns(self) -> Ints:
        """How long each took."""
        return self.end_ns - self.start_ns

    def of(self, *categories: str) -> Ints:
        """Indices of the events of these categories, in order of their start."""
        wanted = [CATEGORIES.index(category) for category in categories]
        found: Ints = np.flatnonzero(np.isin(self.category, wanted))
        return found

    def named(self, *parts: str, among: Ints | None = None) -> Ints:
        """Indices of the events whose name holds one of `parts`, among some or all."""
        among = np.arange(len(self)) if among is None else among
        known = np.zeros(len(self.names), bool)
        for index in np.flatnonzero(np.bincount(self.name[among])).tolist():
            known[index] = any(part in self.names[index] for part in parts)
        found: Ints = among[known[self.name[among]]]
        return found

    def name_of(self, index: int) -> str:
        """The name of one event."""
        return str(self.names[self.name[index]])


@dataclass(frozen=True, eq=False)
class Trace:
    """A trace that was read.

    Attributes:
        source: the file.
        events: what was kept of it.
        steps: the steps to look at, without the first when that was a warm-up; never empty.
        stepped: whether the trace names its steps; without, `steps` is one, the whole.
        about: what the file says of itself: small entries beside its events.
        threads: what each track is called, by its name in `Events.tracks`.
        missing: sentences about what the file lacks, or what had to be left out.
    """

    source: str
    events: Events
    steps: tuple[Window, ...]
    stepped: bool
    about: Mapping[str, Any] = field(default_factory=dict)
    threads: Mapping[str, str] = field(default_factory=dict)
    missing: tuple[str, ...] = ()

    @property
    def step_ns(self) -> int:
        """How long a step takes: their mean, for what is saved is saved on average.

        A device may lag behind the host, which has then done with the steps before they are done.
        They end when the device has done what they asked for, and begin when it has done what was
        asked for before.
        """
        lag = self._lag(self.steps[-1].end_ns) - self._lag(self.steps[0].start_ns)
        spent = sum(step.ns for step in self.steps) + (lag if self.stepped else 0)
        return round(max(spent, 1) / len(self.steps))

    def _lag(self, moment_ns: int) -> int:
        """How long devices still work on what was asked for before a moment."""
        events = self.events
        work, calls = self.events.of(*DEVICE), self.events.of("runtime")
        calls = calls[events.correlation[calls] > 0]
        asked = events.start_ns[work].copy()
        if len(calls):
            order = calls[np.argsort(events.correlation[calls], kind="stable")]
            at = np.searchsorted(events.correlation[order], events.correlation[work])
            call = order[np.minimum(at, len(order) - 1)]
            known = events.correlation[call] == events.correlation[work]
            asked[known] = events.start_ns[call[known]]
        ends = events.end_ns[work[asked < moment_ns]]
        return max(int(ends.max(initial=moment_ns)) - moment_ns, 0)

    @property
    def unwatched_ns(self) -> int:
        """How long a step takes when no profiler slows it, where the trace says so.

        `guide profile` times steps before it records some. Of another trace: `step_ns`.
        """
        said = self.about.get("guide")
        timed = said.get("step_ns") if isinstance(said, Mapping) else None
        if isinstance(timed, bool) or not isinstance(timed, int | float):
            return self.step_ns
        return round(timed) if 0 < timed < _AGES else self.step_ns

    @property
    def typical(self) -> Window:
        """The step whose length is nearest to the median's: the one to draw."""
        lengths = sorted(step.ns for step in self.steps)
        middle = lengths[len(lengths) // 2]
        return min(self.steps, key=lambda step: (abs(step.ns - middle), step.start_ns))

    @functools.cached_property
    def in_steps(self) -> Bools:
        """Of each event, whether it begins in one of the steps."""
        inside = np.zeros(len(self.events), bool)
        for step in self.steps:
            first, end = np.searchsorted(self.events.start_ns, (step.start_ns, step.end_ns))
            inside[first:end] = True
        return inside

    @functools.cached_property
    def parent(self) -> Ints:
        """Of each event the index of the one it lies in, on the same track; -1: in none.

        An event that ends after the one it begins in is taken as inside: clocks are not exact.
        Unless they share no more than a microsecond, which is what older torch rounds times to.
        """
        events = self.events
        parent = np.full(len(events), -1, np.int64)
        ends, tracks = events.end_ns.tolist(), events.track.tolist()
        stacks: dict[int, list[int]] = {}
        for index, (start, track) in enumerate(zip(events.start_ns.tolist(), tracks, strict=True)):
            stack = stacks.setdefault(track, [])
            end = ends[index]
            while stack and (
                (left := ends[stack[-1]] - start) <= 0 or left <= _ROUNDED < end - start
            ):
                stack.pop()
            if stack:
                parent[index] = stack[-1]
            stack.append(index)
        return parent

    @functools.cached_property
    def self_ns(self) -> Ints:
        """Of each event the time that no event inside of it accounts for."""
        events = self.events
        inner = np.zeros(len(events), np.int64)
        inside = np.flatnonzero(self.parent >= 0)
        around = self.parent[inside]
        # What ends after the event it began in takes from that only what they share
        shared = np.minimum(events.end_ns[inside], events.end_ns[around]) - events.start_ns[inside]
        np.add.at(inner, around, shared)
        own: Ints = np.maximum(events.ns - inner, 0)
        return own

    def on_track(self, track: int) -> Ints:
        """Indices of the events on a track, in order of their start."""
        if not 0 <= track < len(self._bounds) - 1:
            return np.empty(0, np.int64)
        return self._by_track[self._bounds[track] : self._bounds[track + 1]]

    @functools.cached_property
    def _by_track(self) -> Ints:
        order: Ints = np.argsort(self.events.track, kind="stable")
        return order

    @functools.cached_property
    def _bounds(self) -> Ints:
        """Where each track begins in `_by_track`, and where the last ends."""
        counts = np.bincount(self.events.track, minlength=len(self.events.tracks))
        return np.concatenate(([0], np.cumsum(counts)))


def union(start_ns: Ints, end_ns: Ints) -> tuple[Ints, Ints]:
    """Intervals joined where they touch or overlap, in order: their starts and ends.

    The sum of what comes back is the time in which at least one was open, which is what "busy"
    means: the sum of all durations counts twice what ran side by side.
    """
    if not len(start_ns):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    order = np.argsort(start_ns, kind="stable")
    starts, ends = start_ns[order], np.maximum.accumulate(end_ns[order])
    begins = np.concatenate(([True], starts[1:] > ends[:-1]))
    last = np.concatenate((np.flatnonzero(begins)[1:] - 1, [len(starts) - 1]))
    return starts[begins], ends[last]


def covered_ns(cover: tuple[Ints, Ints], start_ns: Ints, end_ns: Ints) -> Ints:
    """Of each interval, how much of it a union of intervals covers."""
    starts, ends = cover
    if not len(starts):
        return np.zeros(len(start_ns), np.int64)
    before = np.concatenate(([0], np.cumsum(ends - starts)))

    def until(t_ns: Ints) -> Ints:
        """How long the union has been open up to a moment."""
        index = np.searchsorted(starts, t_ns, "right")
        past = np.maximum(index - 1, 0)
        running = np.clip(t_ns - starts[past], 0, ends[past] - starts[past])
        covered: Ints = np.where(index > 0, before[past] + running, 0)
        return covered

    return until(end_ns) - until(start_ns)


def complement(cover: tuple[Ints, Ints], window: Window) -> tuple[Ints, Ints]:
    """The gaps that a union of intervals leaves in a window: their starts and ends."""
    starts, ends = cover
    kept = (ends > window.start_ns) & (starts < window.end_ns)
    opens = np.concatenate(([window.start_ns], np.minimum(ends[kept], window.end_ns)))
    closes = np.concatenate((np.maximum(starts[kept], window.start_ns), [window.end_ns]))
    gaps = closes > opens
    return opens[gaps], closes[gaps]
