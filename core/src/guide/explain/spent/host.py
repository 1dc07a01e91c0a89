"""What a step takes on the host: the time of each name without what it calls."""

from __future__ import annotations

import numpy as np

from guide.explain.answer import Part
from guide.explain.spent.parts import OUTSIDE, by_name, largest
from guide.explain.trace import Ints, Trace, covered_ns, union
from guide.units import percent

_KINDS = {"op": "operators", "span": "spans", "python": "functions"}


def of_host(trace: Trace) -> tuple[int, tuple[Part, ...], str]:
    """What a step takes, its parts by name, and what limits it; threads side by side count once."""
    among, what = _divided(trace)
    if not what:
        return trace.step_ns, (), ""
    parts, rest = largest(by_name(trace, among, _own_ns(trace, among)))
    outside = max(trace.step_ns - _covered(trace, among), 0)
    if not parts:
        return trace.step_ns, (), ""
    top, most = parts[0], max(trace.step_ns, 1)
    limits = f"Most of it is {top.name}, {percent(min(top.ns, most), most)} of the time."
    if outside > top.ns:
        limits = f"{percent(outside, most)} of the time lies {OUTSIDE}{what}."
    others = (Part(f"other {what}", rest),) if rest else ()
    return trace.step_ns, (*parts, *others, Part(f"{OUTSIDE}{what}", outside)), limits


def all_of_host(trace: Trace) -> tuple[Part, ...]:
    """Every part of a step by name, and what none of them covers."""
    among, what = _divided(trace)
    if not what:
        return ()
    outside = max(trace.step_ns - _covered(trace, among), 0)
    return (*by_name(trace, among, _own_ns(trace, among)), Part(f"{OUTSIDE}{what}", outside))


def _divided(trace: Trace) -> tuple[Ints, str]:
    """The events that a step is divided into, and what they are called; "": there are none."""
    for kind, what in _KINDS.items():
        if len(among := trace.events.of(kind)):
            return among[trace.in_steps[among]], what
    return np.empty(0, np.int64), ""


def _own_ns(trace: Trace, among: Ints) -> Ints:
    """Of each event how long it took, of some without those of them that lie in it."""
    events = trace.events
    inside = np.zeros(len(events), bool)
    inside[among] = True
    # Only what is of this kind is taken out: an operator owns the runtime calls that it makes
    own = events.ns.copy()
    parent = trace.parent
    nested = among[(parent[among] >= 0)]
    holder = parent[nested]
    for _ in range(8):  # past what is of another kind, up to the one it lies in
        other = (holder >= 0) & ~inside[holder]
        if not other.any():
            break
        holder = np.where(other, parent[holder], holder)
    kept = (holder >= 0) & inside[holder]
    np.subtract.at(own, holder[kept], events.ns[nested[kept]])
    return np.maximum(own, 0)


def _covered(trace: Trace, among: Ints) -> int:
    """How long of a step at least one of these events was open, on average."""
    events = trace.events
    cover = union(events.start_ns[among], events.end_ns[among])
    starts = np.array([step.start_ns for step in trace.steps], np.int64)
    ends = np.array([step.end_ns for step in trace.steps], np.int64)
    return round(int(covered_ns(cover, starts, ends).sum()) / len(trace.steps))
