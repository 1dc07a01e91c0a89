"""What rules about the CPU share: what lies in what, and how long it takes when nobody looks.

A trace with stacks is slower than the program it is of. `guide profile` leaves beside the events
how long a step takes without the profiler, and what an operator and a call of Python's cost more
under it; with these each duration is brought back to what it is. A trace of another origin is
corrected by figures of this kind from a machine of ours, and less is claimed of it.
"""

from __future__ import annotations

import functools
import re
from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guide.explain.source import candidates, own_python, program_calls
from guide.explain.trace import Bools, Ints, Trace
from guide.plugin import Pin, Place
from guide.units import percent

Floats = NDArray[np.float64]

_OP_COST_NS, _CALL_COST_NS = 500, 145  # with shapes and stacks; measured, torch 2.13, one machine
_DISPATCH_NS = 800
_BYTES_PER_S = 10e9
_INSIDE = 0.3  # the part of an operator's cost that lies inside of its own duration
_SCALES = (0.3, 10.0)  # by how much the costs of this program may differ from those that were tried
_DISTURBED = 0.7  # of what the steps took without the profiler's cost: less is no longer chance
_LEAST = 0.1  # of a step that is left to operators
_TAKES = "guide_deep_learning/explain/"  # what took the trace is in it, too


def on_cpu(trace: Trace) -> bool:
    """Whether this is a trace of the CPU alone: those of devices have rules of their own."""
    return not len(trace.events.of("kernel", "memcpy", "memset", "runtime"))


@functools.lru_cache(maxsize=2)
def host(trace: Trace) -> Host:
    """What is known of a trace's host side; worked out once."""
    return Host(trace)


class Host:
    """The host side of a trace.

    Attributes:
        trace: what it was read from.
        about: what `guide profile` left beside the events; empty for a trace of another origin.
        track: the thread that makes the steps.
        here: of each event, whether it is in a step and on that thread.
        parent: of each event the index of the one it lies in; -1: none. As `Trace.parent`, but
            what the program named lies around all that follows, not in the call that opened it.
        clean_ns: of each event how long it takes without the profiler.
        step_ns: how long a step takes without it.
        watched: by how many times the profiler made a step longer.
    """

    def __init__(self, trace: Trace) -> None:
        self.trace, events = trace, trace.events
        said = trace.about.get("guide")
        self.about: Mapping[str, Any] = said if isinstance(said, dict) else {}
        self.track = self._main()
        self.here: Bools = trace.in_steps & (events.track == self.track)
        self.parent = _parents(trace)
        self.is_op = np.zeros(len(events), bool)
        self.is_op[events.of("op")] = True
        self.is_python = np.zeros(len(events), bool)
        self.is_python[events.of("python")] = True
        self.clean_ns, self.step_ns = self._cleaned()
        self.watched = trace.step_ns / max(self.step_ns, 1)

    def figure(self, name: str, default: float) -> float:
        """A number of what `guide profile` measured, or a usual one."""
        value = self.about.get(name)
        return float(value) if isinstance(value, int | float) and value > 0 else default

    def tried(self, what: str) -> tuple[float, float]:
        """What a step took with a fault and with it mended, where that was tried; else zeros."""
        said = self.about.get("tried")
        if not isinstance(said, dict) or said.get("what") != what:
            return 0.0, 0.0
        return float(said.get("with") or 0), float(said.get("without") or 0)

    @property
    def tried_threads(self) -> int:
        """With how many threads of torch's it was tried; 0: it was not."""
        said = self.about.get("tried")
        return int(said.get("threads") or 0) if isinstance(said, dict) else 0

    @property
    def dispatch_ns(self) -> float:
        """What the smallest operator takes."""
        return self.figure("dispatch_ns", _DISPATCH_NS)

    @property
    def bytes_per_s(self) -> float:
        """What a copy of a large tensor moves, reading and writing."""
        return self.figure("bytes_per_s", _BYTES_PER_S)

    def each_step(self, ns: float) -> int:
        """What comes to one step of a time that is that of all of them."""
        return round(ns / len(self.trace.steps))

    def even_ns(self, indices: Ints) -> int:
        """What some events take in a step, if all of it is too long alike but for known costs.

        `clean_ns` puts what the profiler made longer down to the number of calls. Of a great many
        short ones, which a stack that is printed is made of, that leaves next to nothing.
        """
        return self.each_step(float(self._even_ns[indices].sum()))

    def usual_ns(self, indices: Ints, ns: Floats | None = None) -> float:
        """What some events take in a step, the median of the steps; `ns`: what each counts for.

        A mean is what would be saved; but one step in which the machine did something else is no
        fault of the program's.
        """
        starts = np.array([step.start_ns for step in self.trace.steps], np.int64)
        of = np.searchsorted(starts, self.trace.events.start_ns[indices], "right") - 1
        each = (self.clean_ns if ns is None else ns)[indices]
        sums = np.bincount(np.maximum(of, 0), each, len(starts))
        return float(np.median(sums))

    def share(self, ns: float) -> str:
        """Such a part of a step, in words."""
        return percent(min(ns, self.step_ns), self.step_ns)

    def outermost(self, chosen: Ints) -> Ints:
        """Those of some events that lie in none of the others."""
        mark = np.zeros(len(self.trace.events), bool)
        mark[chosen] = True
        return np.array([i for i in chosen.tolist() if not self._within(i, mark)], np.int64)

    def inside(self, outer: Ints) -> Bools:
        """Of each event whether it lies in one of these, or is one."""
        events, parent = self.trace.events, self.parent
        mark = np.zeros(len(events), bool)
        if not len(outer):
            return mark
        mark[outer] = True
        after = int(np.searchsorted(events.start_ns, events.end_ns[outer].max(), "right"))
        for i in range(int(outer.min()), after):
            if parent[i] >= 0 and mark[parent[i]]:
                mark[i] = True
        return mark

    @functools.cached_property
    def is_own(self) -> Bools:
        """Of each event whether it is a call of a function of a person's own."""
        events = self.trace.events
        by_name = np.zeros(len(events.names), bool)
        for number in np.unique(events.name[self.is_python]).tolist():
            by_name[number] = is_own(events.names[number])
        return by_name[events.name] & self.is_python

    @functools.cached_property
    def updating(self) -> Bools:
        """Of each event whether it is of an optimizer's step, and no hook of a person's own."""
        said = self.trace.events.of("annotation", "op")
        mark = np.zeros(len(self.trace.events), bool)
        mark[self.trace.events.named("Optimizer.step#", among=said)] = True
        parent = self.parent
        for i in range(int(mark.argmax()) if mark.any() else len(mark), len(mark)):
            if parent[i] >= 0 and mark[parent[i]]:
                mark[i] = not self.is_own[i]
        return mark

    def self_ns(self) -> Floats:
        """Of each event its own time, without the profiler and without what lies in it."""
        return self._alone(self.clean_ns)

    def _alone(self, ns: Floats) -> Floats:
        inner = np.zeros(len(ns))
        held = self.parent >= 0
        np.add.at(inner, self.parent[held], ns[held])
        return np.maximum(ns - inner, 0)

    def own_frame(self, index: int) -> str:
        """The innermost function of a person's own that an event lies in; empty: none."""
        at = int(self.parent[index])
        while at >= 0 and not self.is_own[at]:
            at = int(self.parent[at])
        return self.trace.events.name_of(at) if at >= 0 else ""

    def places(self, indices: Iterable[int], constructs: Sequence[str]) -> tuple[Place, ...]:
        """Lines of source that made these events: of the function that made most of them first."""
        seen: dict[str, int] = {}
        for index in indices:
            name = self.own_frame(int(index))
            if name:
                seen[name] = seen.get(name, 0) + 1
        found: dict[Place, None] = {}
        for name in sorted(seen, key=lambda name: -seen[name])[:3]:
            found |= dict.fromkeys(candidates(name, constructs, self.roots))
        # Of a function that does none of it the first line is named: only where no other does
        told = [place for place in found if not place.text.startswith(("def ", "async def "))]
        return tuple(told or found)[:4]

    def calls(self, *names: str) -> tuple[Place, ...]:
        """Lines of the program that call one of some functions, before its steps perhaps."""
        events = self.trace.events
        functions = [events.names[number] for number in np.unique(events.name[self.is_own])]
        return program_calls(functions, names, self.roots)[:4]

    @property
    def roots(self) -> list[str]:
        """Folders that the trace's file names are seen from."""
        return [str(root) for root in self.about.get("roots") or ()]

    def pins(self, indices: Ints, most: int = 40) -> tuple[Pin, ...]:
        """Where events lie on the timeline, the longest of them."""
        events = self.trace.events
        kept = indices[np.argsort(-events.ns[indices], kind="stable")[:most]]
        return tuple(
            Pin(int(events.start_ns[i]), int(events.end_ns[i]), events.tracks[events.track[i]])
            for i in np.sort(kept)
        )

    def elements(self, index: int) -> int:
        """How many elements the largest input of an operator has; 0: the trace does not say."""
        shape = int(self.trace.events.shape[index])
        return _elements(str(self.trace.events.shapes[shape])) if shape >= 0 else 0

    def _main(self) -> int:
        events = self.trace.events
        busy = events.of("op", "python", "span")
        busy = busy[self.trace.in_steps[busy]]
        if not len(busy):
            return int(events.track[0])
        return int(np.bincount(events.track[busy]).argmax())

    def _within(self, index: int, mark: Bools) -> bool:
        at = int(self.parent[index])
        while at >= 0:
            if mark[at]:
                return True
            at = int(self.parent[at])
        return False

    def _cleaned(self) -> tuple[Floats, int]:
        op_cost = self.figure("op_cost_ns", _OP_COST_NS)
        call_cost = self.figure("call_cost_ns", _CALL_COST_NS)
        own = op_cost * self.is_op + call_cost * self.is_python
        below = own.copy()
        parent = self.parent
        for i in range(len(parent) - 1, -1, -1):
            if parent[i] >= 0:
                below[parent[i]] += below[i]
        watched_ns = self.trace.step_ns
        plain_ns = self.figure("step_ns", 0)
        added = float(own[self.here].sum()) / len(self.trace.steps)
        scale, rest = 1.0, 1.0
        if plain_ns and added:
            scale = min(max((watched_ns - plain_ns) / added, _SCALES[0]), _SCALES[1])
        left = max(watched_ns - scale * added, 0.2 * watched_ns)
        if plain_ns:
            rest = min(max(plain_ns / left, 0.05), 2.0)
        # Of the event itself most of the cost lies before and after what it notes
        inside = below - (1 - _INSIDE) * own
        even = (plain_ns or left) / max(watched_ns - added, 0.2 * watched_ns)
        self._even_ns = np.maximum(self.trace.events.ns - inside, 0) * min(even, 1.0)
        clean = np.maximum(self.trace.events.ns - scale * inside, 0)
        shared = self._shared(clean, rest, plain_ns)
        return (clean * rest if shared is None else shared), round(plain_ns or left)

    def _shared(self, clean: Floats, rest: float, plain_ns: float) -> Floats | None:
        """Each event's time where a busy machine made the recorded steps longer; None: all alike.

        An operator on several threads waits for the one of them that has lost its core; the
        interpreter has one thread, and waits for nobody. So operators account for what is too long.
        """
        if self.figure("threads", 1) < 2 or rest > _DISTURBED:
            return None
        alone, parent = self._alone(clean), self.parent
        steps = len(self.trace.steps)
        apart = float(alone[self.here & ~self.is_op].sum()) / steps
        within = float(alone[self.here & self.is_op].sum()) / steps
        if apart > (1 - _LEAST) * plain_ns or not within:
            return None
        shared = alone * np.where(self.is_op, (plain_ns - apart) / within, 1.0)
        for i in range(len(parent) - 1, -1, -1):
            if parent[i] >= 0:
                shared[parent[i]] += shared[i]
        return shared


def is_operator(name: str) -> bool:
    """Whether an event is an operator of torch's or of a library's, and not the way to some."""
    return "::" in name and not name.startswith("autograd::")


def is_own(name: str) -> bool:
    """Whether a function is a person's own: of no library, and not of what took the trace."""
    return _TAKES not in name and own_python(name)


def _parents(trace: Trace) -> Ints:
    events = trace.events
    parent = np.full(len(events), -1, np.int64)
    starts, ends, tracks = (c.tolist() for c in (events.start_ns, events.end_ns, events.track))
    named = np.zeros(len(events), bool)
    named[events.of("annotation")] = True
    stacks: dict[int, list[int]] = {}
    for index, (start, end, track) in enumerate(zip(starts, ends, tracks, strict=True)):
        stack = stacks.setdefault(track, [])
        while stack and ends[stack[-1]] <= start:
            stack.pop()
        at = len(stack)
        if named[index]:
            # It is opened in a call that is over before it ends: it lies around what follows that
            # call. What is still open keeps what lies in it, whatever was named meanwhile.
            while at and ends[stack[at - 1]] < end:
                at -= 1
        if at:
            parent[index] = stack[at - 1]
        stack.insert(at, index)
    return parent


_DIMS = re.compile(r"\[((?:\d+(?:, )?)+)\]")


@functools.lru_cache(maxsize=4096)
def _elements(dims: str) -> int:
    most = 0
    for found in _DIMS.findall(dims):
        count = 1
        for number in found.split(","):
            count *= int(number)
        most = max(most, count)
    return most
