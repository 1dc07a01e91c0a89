"""Where in a program its largest operators are called: no accusation, for work has to be somewhere.

What an operator is called from is a Python function; of its lines the one is named that calls what
leads to the operator, where only one does. What backward calls is put down to the lines whose
gradient it reckons: `AddmmBackward0` is the backward of each aten::addmm.
"""

from __future__ import annotations

import functools
import re

import numpy as np

from guide.explain.source import candidates
from guide.explain.trace import Trace
from guide_deep_learning.explain.host.facts import Host, host, is_operator, on_cpu

_NAMED, _CALLERS = 3, 2  # operators, and of each the places
_MUCH, _PART = 0.1, 0.2  # of a step, and of an operator's time: what is less is not named
_ENGINE = re.compile(r"autograd::engine::evaluate_function: (\w+?)Backward\d*$")
_Call = tuple[str, str]  # a function as a trace names it, and the name of what it calls
_CALLED = re.compile(r"<built-in (?:method|function) (\w+)|.+\(\d+\): (\w+)$|aten::(\w+)")


def largest_operators(trace: Trace) -> list[str]:
    """The operators that take most of a step, and the project's own lines they are called from.

    What each takes stands in the answer as "its time".
    """
    if not on_cpu(trace):
        return []
    seen = host(trace)
    if not seen.is_own.any():  # taken without stacks
        return []
    events, own_ns = trace.events, seen.self_ns()
    operators = np.flatnonzero(seen.here & seen.is_op)
    operators = operators[
        np.array([is_operator(n) for n in events.names], bool)[events.name][operators]
    ]
    # The median of the steps: one in which the machine did something else is no sign
    of = {n: operators[events.name[operators] == n] for n in np.unique(events.name[operators])}
    took = {int(n): seen.usual_ns(mine, own_ns) for n, mine in of.items()}
    said = []
    for number in sorted(took, key=lambda n: (-took[n], events.names[n]))[:_NAMED]:
        if took[number] < _MUCH * seen.step_ns:
            break
        mine = of[number]
        if where := _callers(seen, mine.tolist(), own_ns[mine].tolist()):
            said.append(f"{events.names[number]} {' and '.join(where)}")
    if not said:
        return []
    return [f"Its largest operators are called: {'; '.join(said)}."]


def _callers(seen: Host, operators: list[int], alone: list[float]) -> list[str]:
    """The places most of an operator's time is called from, in words."""
    places: dict[str, float] = {}
    for index, ns in zip(operators, alone, strict=True):
        node = _node(seen, index)
        callers = _forward(seen).get(node, {}) if node else {}
        whole = sum(callers.values())
        for call, weight in callers.items() if whole else [(_call(seen, index), 1.0)]:
            if call[0]:
                at = f"{'in backward of' if node else 'from'} {_place(seen, *call)}"
                places[at] = places.get(at, 0.0) + ns * weight / (whole or 1.0)
    order = sorted(places, key=lambda at: (-places[at], at))
    return [at for at in order[:_CALLERS] if places[at] >= _PART * sum(alone)]


def _node(seen: Host, index: int) -> str:
    """What of autograd an operator lies in: "addmm" of AddmmBackward0; "" in none."""
    at = index
    while at >= 0:
        if seen.is_op[at] and (found := _ENGINE.match(seen.trace.events.name_of(at))):
            return found[1].lower()
        at = int(seen.parent[at])
    return ""


@functools.lru_cache(maxsize=2)
def _forward(seen: Host) -> dict[str, dict[_Call, float]]:
    """Of each operator that autograd has a backward of, what called it and for how long."""
    events = seen.trace.events
    keys = [name.removeprefix("aten::").replace("_", "").lower() for name in events.names]
    nodes = {node[1].lower() for name in events.names if (node := _ENGINE.match(name))}
    wanted = np.array([key in nodes for key in keys], bool)
    found: dict[str, dict[_Call, float]] = {}
    for index in np.flatnonzero(seen.here & seen.is_op & wanted[events.name]).tolist():
        call = _call(seen, index)
        if call[0] and not _node(seen, index):
            of = found.setdefault(keys[events.name[index]], {})
            of[call] = of.get(call, 0.0) + float(seen.clean_ns[index])
    return found


def _call(seen: Host, index: int) -> _Call:
    """The own function an operator lies in, and the name of what that calls on the way to it."""
    at, below = int(seen.parent[index]), index
    while at >= 0 and not seen.is_own[at]:
        # What the program names, a step too, lies around calls, and is none
        if seen.is_python[at] or (seen.is_op[at] and not seen.is_python[below]):
            below = at
        at = int(seen.parent[at])
    if at < 0:
        return "", ""
    found = _CALLED.match(seen.trace.events.name_of(below))
    return seen.trace.events.name_of(at), next(filter(None, found.groups()), "") if found else ""


@functools.lru_cache(maxsize=256)
def _place(seen: Host, frame: str, called: str) -> str:
    found = candidates(frame, (called, f".{called}"), seen.roots) if called else ()
    if len(found) != 1:  # by its name it may be any of them: the function is sure
        found = candidates(frame, (), seen.roots)
    return f"{found[0].file}:{found[0].line}" if found[0].line else found[0].file
