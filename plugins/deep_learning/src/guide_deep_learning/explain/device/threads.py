"""Which threads launch work, and which operators are around a call.

Up to torch 1.9 a thread has two numbers: its calls to the runtime lie on another track than its
operators. They are brought together by time: a launch lies within the operator that made it.
"""

from __future__ import annotations

import functools
from collections.abc import Iterator, Mapping

import numpy as np

from guide.explain.trace import Ints, Trace

_ENOUGH = 0.5  # of a track's calls that lie within another's operators, to belong to it


@functools.lru_cache(maxsize=2)
def twins(trace: Trace) -> Mapping[int, int]:
    """Of each track with calls to the runtime but no operators, the track of its operators."""
    events = trace.events
    operators, calls = events.of("op"), events.of("runtime")
    with_operators = np.unique(events.track[operators]).tolist()
    found: dict[int, int] = {}
    for track in np.unique(events.track[calls]).tolist():
        if track in with_operators:
            continue
        starts = events.start_ns[calls[events.track[calls] == track]]
        best, most = -1, _ENOUGH * len(starts)
        for other in with_operators:
            mine = operators[events.track[operators] == other]
            begin = events.start_ns[mine]
            reach = np.maximum.accumulate(events.end_ns[mine])
            spot = np.searchsorted(begin, starts, "right") - 1
            inside = int(((spot >= 0) & (starts < reach[np.maximum(spot, 0)])).sum())
            if inside > most:
                best, most = other, inside
        if best >= 0:
            found[track] = best
    return found


def launching(trace: Trace, calls: Ints) -> Ints:
    """The tracks of the threads that made these calls, and those of their operators."""
    tracks = np.unique(trace.events.track[calls]).tolist()
    if not tracks:
        return np.unique(trace.events.track[trace.events.of("op")])
    others = twins(trace)
    return np.unique([*tracks, *(others[track] for track in tracks if track in others)])


def around(trace: Trace, call: int) -> Iterator[int]:
    """The events that a call lies in, the innermost first."""
    events, parent = trace.events, trace.parent
    index = int(parent[call])
    other = twins(trace).get(int(events.track[call]))
    if index < 0 and other is not None:
        mine = trace.on_track(other)
        moment = events.start_ns[call]
        spot = int(np.searchsorted(events.start_ns[mine], moment, "right")) - 1
        index = int(mine[spot]) if spot >= 0 else -1
        while index >= 0 and events.end_ns[index] <= moment:
            index = int(parent[index])
    while index >= 0:
        yield index
        index = int(parent[index])
