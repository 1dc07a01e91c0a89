"""What the launching threads did: each nanosecond of the host's time is one thing.

Threads that launch work take turns (the main thread forward, autograd's backward), so they are
looked at as one. Where several things are open at once, the more telling one counts: an operator
within the data loader is the loader's.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping

import numpy as np

from guide.explain.trace import Ints, Trace, Window, complement, union
from guide_deep_learning.explain.device import names
from guide_deep_learning.explain.device.threads import launching
from guide_deep_learning.explain.device.waits import Waits
from guide_deep_learning.explain.device.work import Work

Intervals = tuple[Ints, Ints]

LONG_PYTHON = 200_000
"""ns without an operator that are more than the way from one operator to the next: a call of
torch's own Python takes 5 to 50 µs, two or three times as much while it is being watched."""


def activities(trace: Trace, work: Work, waits: Waits, window: Window) -> Mapping[str, Intervals]:
    """When the host did what, in a window; no two of them at the same time.

    The keys, the more telling first: "wait", "profiler", "compile", "debug", "loader", "item",
    "code", "allocator", "communication", "cpu" for operators that take long and launch nothing,
    "optimizer", "operator", "python" for long stretches without an operator, "between" for short
    ones.
    """
    taken: Intervals = (np.empty(0, np.int64), np.empty(0, np.int64))
    found: dict[str, Intervals] = {}
    for name, starts, ends in _layers(trace, work, waits):
        mine = union(np.maximum(starts, window.start_ns), np.minimum(ends, window.end_ns))
        mine = _positive(mine)
        new = without(mine, taken, window)
        found[name] = joined(found[name], new) if name in found else new
        taken = joined(taken, mine)
    rest = complement(taken, window)
    # Of what is left, an optimizer's or a program's own stretch may be cut by operators
    long = rest[1] - rest[0] > LONG_PYTHON
    found["python"] = rest[0][long], rest[1][long]
    found["between"] = rest[0][~long], rest[1][~long]
    return found


def joined(a: Intervals, b: Intervals) -> Intervals:
    """When one of them is open."""
    return union(np.concatenate((a[0], b[0])), np.concatenate((a[1], b[1])))


def without(these: Intervals, those: Intervals, window: Window) -> Intervals:
    """What of these intervals lies in none of those."""
    if not len(these[0]) or not len(those[0]):
        return these
    return both(these, complement(those, window))


def both(a: Intervals, b: Intervals) -> Intervals:
    """When both are open. Each is a union: in order, without overlaps."""
    if not len(a[0]) or not len(b[0]):
        return np.empty(0, np.int64), np.empty(0, np.int64)
    edges = np.unique(np.concatenate((*a, *b)))
    starts, ends = edges[:-1], edges[1:]
    inside = _open(a, starts) & _open(b, starts)
    return union(starts[inside], ends[inside])


def _open(cover: Intervals, at: Ints) -> np.ndarray[tuple[int], np.dtype[np.bool_]]:
    spot = np.searchsorted(cover[0], at, "right") - 1
    return (spot >= 0) & (at < cover[1][np.maximum(spot, 0)])


def _positive(intervals: Intervals) -> Intervals:
    kept = intervals[1] > intervals[0]
    return intervals[0][kept], intervals[1][kept]


def _layers(trace: Trace, work: Work, waits: Waits) -> Iterator[tuple[str, Ints, Ints]]:
    events = trace.events
    yield "wait", waits.start_ns, waits.end_ns
    mine = np.isin(events.track, launching(trace, work.launch[work.launch >= 0]))

    def named(pattern: re.Pattern[str], *categories: str) -> Ints:
        among = events.of(*categories)
        among = among[mine[among]]
        known = np.zeros(len(events.names), bool)
        for index in np.flatnonzero(np.bincount(events.name[among])).tolist():
            known[index] = pattern.search(events.names[index]) is not None
        chosen: Ints = among[known[events.name[among]]]
        return chosen

    said = ("op", "annotation", "span", "python", "other")
    operators = events.of("op")
    operators = operators[mine[operators]]
    operators = np.setdiff1d(operators, named(names.NO_OPERATOR, "op"), assume_unique=True)
    reads = np.isin(
        events.name,
        [i for i, name in enumerate(events.names) if name in names.READ_A_VALUE],
    )
    calls = events.of("runtime")
    calls = calls[mine[calls]]
    overhead = events.of("other")
    overhead = overhead[
        [names.PROFILER.search(events.name_of(i)) is not None for i in overhead.tolist()]
    ]
    for name, index in (
        ("profiler", overhead),
        ("compile", named(names.COMPILE, *said)),
        ("debug", np.union1d(named(names.ANOMALY, *said), _looks(trace, waits, operators))),
        ("loader", named(names.LOADER, *said)),
        ("item", operators[reads[operators]]),
        ("code", np.union1d(named(names.LOAD_CODE, "runtime", "other"), _first(trace, calls))),
        ("code", _begins(trace, operators)),
        ("allocator", named(names.ALLOCATE, "runtime")),
        ("communication", named(names.COMMUNICATE, "op", "annotation")),
        ("cpu", _on_cpu(trace, operators, calls)),
        ("optimizer", named(names.OPTIMIZER, "op", "annotation")),
        ("operator", np.concatenate((operators, calls))),
    ):
        yield name, events.start_ns[index], events.end_ns[index]


def _on_cpu(trace: Trace, operators: Ints, calls: Ints) -> Ints:
    """Operators that take long and call nothing of the device's: they compute on the CPU.

    Long by themselves, that is: one that calls a hundred others which only look at shapes is slow
    for another reason.
    """
    events = trace.events
    if not len(calls):  # then nobody knows which of them would have called the device
        return calls
    own = trace.self_ns[operators]
    long = operators[(own >= LONG_PYTHON) & (2 * own > events.ns[operators])]
    if not len(long):
        return long
    begin = events.start_ns[calls]
    inside = np.searchsorted(begin, events.end_ns[long]) - np.searchsorted(
        begin, events.start_ns[long]
    )
    found: Ints = long[inside == 0]
    return found


def _looks(trace: Trace, waits: Waits, operators: Ints) -> Ints:
    """Operators with which anomaly mode looks for nan: those beside the reads that it makes."""
    if not len(waits.of("debug")):
        return waits.of("debug")
    events, parent = trace.events, trace.parent
    known = [i for i, name in enumerate(events.names) if name in names.LOOKS]
    mine = operators[np.isin(events.name[operators], known)]
    around = events.name[np.maximum(parent[mine], 0)]
    nodes = [i for i, name in enumerate(events.names) if "evaluate_function" in name]
    found: Ints = mine[np.isin(around, nodes) & (parent[mine] >= 0)]
    return found


_FIRST = 1_000_000  # ns: a launch this long has loaded the code of its kernel first
_BEGINS = 5_000_000  # ns: an operator's own time that is a library starting up


def _first(trace: Trace, calls: Ints) -> Ints:
    """Launches that took long by themselves: of a thousand, a few at the very begin."""
    events = trace.events
    launches = calls[np.isin(calls, events.named("aunch", among=calls))]
    return launches[events.ns[launches] >= _FIRST]


def _begins(trace: Trace, operators: Ints) -> Ints:
    """The first operator of a name, where it takes long and its like never again.

    Libraries start up within the first operator that needs them. In steps it was done before.
    """
    if trace.stepped:
        return operators[:0]
    events = trace.events
    own = trace.self_ns
    found = []
    for index in operators[own[operators] >= _BEGINS].tolist():
        alike = operators[events.name[operators] == events.name[index]]
        others = own[alike[alike != index]]
        if index == alike[0] and (not len(others) or np.median(others) * 20 < own[index]):
            found.append(index)
    return np.array(found, np.int64)
