"""Calls in which the host waited for the device, and what made it wait.

A call waited as long as some work of the device ran that ended just before the call did. The rest
of the call is the host's own time. What kind of wait it is, is said by the operator around it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guide.explain.trace import CATEGORIES, Ints, Trace
from guide_deep_learning.explain.device import names
from guide_deep_learning.explain.device.threads import around
from guide_deep_learning.explain.device.work import Work

KINDS = (
    "item",  # a value of a tensor is read: .item(), float(t), if t
    "shape",  # how many rows there are is known only to the device: nonzero, t[mask]
    "back",  # a copy to the host
    "in",  # a copy from the host, which waits its turn
    "synchronize",  # because the program says so
    "blocking",  # every launch waits for its kernel: CUDA_LAUNCH_BLOCKING
    "allocator",  # cudaMalloc, cudaFree
    "full queue",  # the device is far behind: no fault, the host has nothing to hurry for
    "compile",
    "debug",  # anomaly mode looks at every gradient
)
_LONG = 20_000  # ns: a launch that takes longer was held up
_LAST_PIECE = 0.05  # of a copy from pageable memory: the host is back when that is in a buffer
_DEEP = 20_000  # ns between a launch and its start that mean a queue


@dataclass(frozen=True, slots=True, eq=False)
class Waits:
    """Waits in order of their start.

    Attributes:
        call: index of the runtime call into the trace's events.
        start_ns, end_ns: when the host waited.
        kind: index into KINDS.
        until: index into the work: what it waited for.
    """

    call: Ints
    start_ns: Ints
    end_ns: Ints
    kind: Ints
    until: Ints

    @property
    def columns(self) -> tuple[Ints, ...]:
        """All of them."""
        return self.call, self.start_ns, self.end_ns, self.kind, self.until

    def of(self, *kinds: str) -> Ints:
        """Indices of the waits of these kinds."""
        found: Ints = np.flatnonzero(np.isin(self.kind, [KINDS.index(kind) for kind in kinds]))
        return found


def waits_of(trace: Trace, work: Work) -> Waits:
    """All waits of a trace."""
    events = trace.events
    calls = events.of("runtime")
    lengths = events.ns[calls]
    is_launch = np.isin(calls, events.named("aunch", "emset", among=calls))
    usual = float(np.median(lengths[is_launch])) if is_launch.any() else 0.0
    held = lengths > max(_LONG, 5 * usual)
    blocking = _blocking(trace, work)
    # Memcpy, Synchronize, Malloc and Free may wait; a launch that is held up has a reason
    can = np.isin(
        calls, events.named("emcpy", "ynchronize", "alloc", "Free", "HostReg", among=calls)
    )
    always = np.isin(
        calls,
        events.named("DeviceSynchronize", "StreamSynchronize", "CtxSync", "Free", among=calls),
    )
    own = _own_work(work, calls)
    by_end = np.argsort(work.end_ns, kind="stable")
    ends = work.end_ns[by_end]
    rows: list[tuple[int, int, int, int, int]] = []
    for at in np.flatnonzero(can | (is_launch & (held | blocking))).tolist():
        call, mine = int(calls[at]), int(own[at])
        begin, end = int(events.start_ns[call]), int(events.end_ns[call])
        if mine >= 0 and not is_launch[at]:
            until = mine
        else:
            spot = int(np.searchsorted(ends, end, "right")) - 1
            if spot < 0:
                continue
            until = int(by_end[spot])
        done = int(work.end_ns[until])
        if until == mine and end < done <= end + _LAST_PIECE * int(work.ns[until]):
            done = end
        if is_launch[at] or not always[at]:
            if not begin < done <= end:
                continue
        elif done > end:
            continue
        if is_launch[at] and not blocking:
            deep = mine >= 0 and work.start_ns[mine] - end > _DEEP
            if not deep:
                continue
        kind = "blocking" if is_launch[at] and blocking else "full queue"
        if not is_launch[at]:
            kind = _kind(trace, work, call, mine)
        # A wait for what is done already takes no time, but would if the host came sooner
        rows.append((call, begin, max(done, begin), KINDS.index(kind), until))
    columns = np.array(rows, np.int64).reshape(-1, 5).T
    return Waits(*(np.ascontiguousarray(column) for column in columns))


def _own_work(work: Work, calls: Ints) -> Ints:
    """Of each call the work that it asked for, -1 for none."""
    own = np.full(len(calls), -1, np.int64)
    if len(calls):
        known = np.flatnonzero(work.launch >= 0)
        own[np.searchsorted(calls, work.launch[known])] = known
    return own


def _blocking(trace: Trace, work: Work) -> bool:
    """Whether nearly every kernel was over when its launch came back."""
    kernels = np.isin(work.event, trace.events.of("kernel")) & (work.launch >= 0)
    if not kernels.any():
        return False
    back = trace.events.end_ns[work.launch[kernels]]
    return float((work.end_ns[kernels] <= back).mean()) > 0.8


def _kind(trace: Trace, work: Work, call: int, mine: int) -> str:
    events = trace.events
    name = events.name_of(call)
    if names.ALLOCATE.search(name):
        return "allocator"
    outer = list(around(trace, call))
    said = [events.name_of(index) for index in outer]
    if any(names.COMPILE.search(each) for each in said):
        return "compile"
    if any(names.ANOMALY.search(each) for each in said) or _checks(trace, call, outer):
        return "debug"
    if not names.UNKNOWN_SHAPE.isdisjoint(said):
        return "shape"
    if not names.READ_A_VALUE.isdisjoint(said):
        return "item"
    if mine < 0 and outer and events.category[outer[0]] == CATEGORIES.index("op"):
        mine = _copy_before(trace, work, call, outer[0])
    if mine >= 0 and events.category[work.event[mine]] == CATEGORIES.index("memcpy"):
        way = names.copy(events.name_of(int(work.event[mine])))
        return {"in": "in", "back": "back"}.get(way, "synchronize")
    return "synchronize"


def _checks(trace: Trace, call: int, outer: list[int]) -> bool:
    """Whether a value is read because anomaly mode looks for nan: `isnan().any()`, then this.

    It reads within autograd's own node, right after an operator `_is_any_true` or `any`.
    """
    events, parent = trace.events, trace.parent
    inner = call
    for index in outer:
        if "evaluate_function" in events.name_of(index):
            break
        inner = index
    else:
        return False
    mine = trace.on_track(int(events.track[inner]))
    spot = int(np.searchsorted(mine, inner))
    for index in reversed(mine[max(spot - 40, 0) : spot].tolist()):
        if parent[index] == parent[inner] and events.category[index] == CATEGORIES.index("op"):
            return events.name_of(index) in ("aten::_is_any_true", "aten::any")
    return False


def _copy_before(trace: Trace, work: Work, call: int, operator: int) -> int:
    """The copy that was asked for right before, by the same operator: what is waited for."""
    events = trace.events
    begin = int(events.start_ns[operator])
    mine = trace.on_track(int(events.track[call]))
    spot = int(np.searchsorted(mine, call))
    for index in reversed(mine[max(spot - 8, 0) : spot].tolist()):
        if events.start_ns[index] < begin:
            break
        if names.MEMCPY.search(events.name_of(index)):
            found = np.flatnonzero(work.launch == index)
            return int(found[0]) if len(found) else -1
    return -1
