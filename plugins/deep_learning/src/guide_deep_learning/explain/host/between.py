"""Whose the time between operators is: by functions of a person's own, and what they call there.

No operator is open in it, and somebody always is: a function of theirs, of Python's library, of
numpy's, of torch's. What is asked for is the innermost of theirs, for there the line is.
"""

from __future__ import annotations

import re
from collections.abc import Collection
from dataclasses import dataclass, field

import numpy as np

from guide.explain.trace import Bools, Ints
from guide_deep_learning.explain.host.facts import Floats, Host

_WAITS = re.compile(
    r"<built-in (?:function|method) (?:"
    r"(?:sleep|nanosleep|acquire|wait\w*|join\w*|recv\w*|accept|connect|select|poll|epoll_wait"
    r"|read|readinto\d?|readline|fsync|flock) ?\b"
    r"|__enter__ of (?:_thread|_multiprocessing)\b)"
)
_DISTURBED = 2.0  # times what it takes in a middling step: the machine did something else
_WHOLE = 100  # times what the smallest operator takes: the way to an operator is shorter


@dataclass(slots=True)
class Between:
    """Time without operators that belongs to one function of a person's own.

    Attributes:
        owner: the function, as the trace names it.
        called: what it calls there, as the trace names it; "": it is in its own lines.
        torch: whether that is a function of torch's.
        waits: whether nothing is computed meanwhile, in Python neither.
        ns: what it takes in a step.
        events: what was open.
    """

    owner: str
    called: str
    torch: bool
    waits: bool
    ns: float = 0.0
    events: list[int] = field(default_factory=list)


def between(seen: Host, free: Bools, told: Collection[str] = ()) -> list[Between]:
    """The time between operators by function and by what it calls, the longest first.

    Args:
        seen: the trace.
        free: of each event, whether its time is to be looked at.
        told: own functions that other rules tell of.
    """
    events, alone = seen.trace.events, seen.self_ns()
    owned = []
    inside = np.zeros(len(events))
    for index in np.flatnonzero(free & seen.is_python).tolist():
        owner, call, around = owner_of(seen, index)
        # What an optimizer does between its operators is a rule's of its own
        if owner < 0 or around in told or seen.updating[index]:
            continue
        owned.append((index, owner, call))
        if call >= 0:
            inside[call] += alone[index]
    found: dict[tuple[str, str, bool], Between] = {}
    whole = _whole(seen, inside)
    for index, owner, call in owned:
        waits = waited(events.name_of(index))
        called = events.name_of(call) if call >= 0 else ""
        torch = called in whole
        if not waits and torch and not whole[called]:
            continue
        kind = Between(events.name_of(owner), called, torch, waits)
        key = (kind.owner, short(called), waits)
        found.setdefault(key, kind).events.append(index)
    for each in found.values():
        each.ns = steady_ns(seen, np.array(each.events, np.int64), alone)
    return sorted(found.values(), key=lambda each: (-each.ns, each.owner, each.called))


def _whole(seen: Host, inside: Floats) -> dict[str, bool]:
    """Of functions of torch's, and of what leads to its operators: whether they are more than that.

    The way to an operator is short, and needed. A call in the middle tells, for any other may have
    been disturbed.
    """
    events, leads = seen.trace.events, _leads(seen)
    calls: dict[str, list[int]] = {}
    ways = set()
    for call in np.flatnonzero(inside).tolist():
        name = events.name_of(call)
        calls.setdefault(name, []).append(call)
        if leads[call] or _is_torch(name):
            ways.add(name)
    least_ns = _WHOLE * seen.dispatch_ns
    return {
        name: bool(
            np.median(inside[calls[name]]) >= least_ns
            and np.median(inside[calls[name]] / np.maximum(seen.clean_ns[calls[name]], 1)) >= 0.5
        )
        for name in sorted(ways)
    }


def waited(name: str) -> bool:
    """Whether a function of the interpreter's waits: for a time, a lock, a file, a socket."""
    return _WAITS.match(name) is not None


def steady_ns(seen: Host, indices: Ints, ns: Floats) -> float:
    """What some events take in a step on average; a step that was disturbed counts as another."""
    starts = np.array([step.start_ns for step in seen.trace.steps], np.int64)
    of = np.searchsorted(starts, seen.trace.events.start_ns[indices], "right") - 1
    of = np.maximum(of, 0)
    sums = np.bincount(of, ns[indices], len(starts))
    held = sums[np.bincount(of, minlength=len(starts)) > 0]
    if not len(held):
        return 0.0
    return float(np.minimum(held, _DISTURBED * np.median(held)).sum() / len(starts))


def function_of(name: str) -> str:
    """The function's name in what a trace calls it: save, sleep, <module>."""
    if name.startswith("<built-in "):
        return name.removesuffix(">").removeprefix("<built-in ").split(" ")[1]
    return name.rpartition(": ")[2]


def short(name: str) -> str:
    """The same with the package that it is of: serialization.save, sleep, <module>."""
    function = function_of(name)
    file = name.rpartition(": ")[0]
    package = file.replace("\\", "/").partition("/")[0]
    return f"{package}.{function}" if "/" in file and package.isidentifier() else function


def owner_of(seen: Host, index: int) -> tuple[int, int, str]:
    """The own function around an event, the call of something else there, and the innermost frame.

    A comprehension belongs to the function that it is written in, and a call from it, too.
    """
    events, at, call, around = seen.trace.events, index, -1, ""
    owner = -1
    while at >= 0:
        if seen.is_python[at]:
            name = events.name_of(at)
            if seen.is_own[at]:
                around = around or name
                owner = at
                if not name.rpartition(": ")[2].startswith("<"):
                    break
            elif owner >= 0 and not name.startswith("<built-in "):
                break
            elif owner < 0:
                call = at
        at = int(seen.parent[at])
    return owner, call, around


def _leads(seen: Host) -> Bools:
    """Of each event whether an operator lies in it."""
    leads = np.zeros(len(seen.parent), bool)
    for index in np.flatnonzero(seen.is_op).tolist():
        at = int(seen.parent[index])
        while at >= 0 and not leads[at]:
            leads[at] = True
            at = int(seen.parent[at])
    return leads


def _is_torch(name: str) -> bool:
    return name.startswith(("torch/", "nn.Module: ")) or any(
        part in name for part in ("/torch/", " of torch.", "guide_deep_learning/explain/")
    )
