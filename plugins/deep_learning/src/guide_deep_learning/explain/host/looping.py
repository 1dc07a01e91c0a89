"""A loop of Python's over small operators, each of which could be one for all of its turns."""

from __future__ import annotations

import functools
import re
from dataclasses import dataclass

import numpy as np

from guide.explain.answer import WORTH
from guide.explain.source import candidates
from guide.explain.trace import Trace
from guide.plugin import Verdict, Word
from guide_deep_learning.explain.host.between import function_of, owner_of
from guide_deep_learning.explain.host.facts import Host, host, on_cpu

_MANY = 32  # operators of one name that one call of a function makes: fewer are hardly a loop
_BETWEEN = 12  # times what an operator costs Python takes from one to the next, in a loop of them
_NAMED = 3  # operators that are told by name
_BACKWARD = re.compile(r"autograd::engine::evaluate_function: (\w+?)Backward\d*")
_READS = ("aten::item", "aten::is_nonzero", "aten::_local_scalar_dense")  # have a rule of their own
_WORD = Word("batched", "one operator on a larger tensor, for what a loop does piece by piece")


@dataclass(frozen=True, slots=True)
class Loop:
    """Operators that one function calls again and again.

    Attributes:
        owner: the function, as the trace names it.
        counts: of each operator how often a step calls it, most first.
        events: those operators, the outer ones.
        took_ns: what they and Python between them take in a step, the way back included.
        gain_ns: the part of it that is no arithmetic.
        all_python: whether that is all that Python does in the function.
    """

    owner: str
    counts: tuple[tuple[str, int], ...]
    events: tuple[int, ...]
    took_ns: int
    gain_ns: int
    all_python: bool


def looping(trace: Trace) -> list[Verdict]:
    """Whether a function calls operators one by one that could be one, batched."""
    if not on_cpu(trace):
        return []
    return [_told(host(trace), loop) for loop in worth_telling(trace)]


def worth_telling(trace: Trace) -> tuple[Loop, ...]:
    """The loops that take a part of the step that is worth mending."""
    least = WORTH * host(trace).step_ns
    return tuple(loop for loop in _loops(trace) if loop.gain_ns >= least)


def _told(seen: Host, loop: Loop) -> Verdict:
    function = function_of(loop.owner)
    where = candidates(loop.owner, ("for",), seen.roots)[:3]
    at = f" at {where[0].file}:{where[0].line}" if where and where[0].line else f" in {function}"
    calls = " and ".join(f"{name} {count} times" for name, count in loop.counts[:_NAMED])
    turns = sum(count for _, count in loop.counts)
    left_ns = loop.took_ns - loop.gain_ns
    return Verdict(
        "a loop over small operators",
        f"The loop{at} calls {calls} a step, {loop.took_ns / turns / 1e3:.2g} µs each with "
        f"Python between and the way back; together {loop.took_ns / 1e6:.3g} ms, "
        f"{seen.share(loop.took_ns)} of it. Batched it would be about {left_ns / 1e6:.3g} ms.",
        loop.gain_ns,
        why="Each call goes from Python through a dispatcher to a loop over the elements, and "
        "backward once more. With few elements in each, the way is longer than the loop.",
        remedy="Give the loop's index a dimension of its own and call each operator once: "
        "view and transpose, torch.bmm or @ on stacked tensors, scaled_dot_product_attention, "
        "torch.vmap; for parameters torch._foreach_ forms.",
        check="Only where no turn needs the result of the one before; at most this much is won. "
        "The next trace has each of them a few times.",
        sure="likely" if "dispatch_ns" in seen.about else "perhaps",
        where=where,
        evidence=(
            *((name, f"{count} a step") for name, count in loop.counts[:_NAMED]),
            ("the smallest operator takes", f"{seen.dispatch_ns / 1e3:.2g} µs"),
            ("the loop, with its way back", f"{loop.took_ns / 1e6:.3g} ms a step"),
        ),
        word=_WORD,
        teaches=("m1/s20", "m4/s5", "m4::e1"),
        pins=seen.pins(np.array(loop.events, np.int64)),
    )


@functools.lru_cache(maxsize=2)
def _loops(trace: Trace) -> tuple[Loop, ...]:
    """Loops over operators, the longest first."""
    events, seen = trace.events, host(trace)
    said = events.of("annotation", "op", "other")
    others = events.named("enumerate(DataLoader)#", "dynamo_timed", among=said)
    here = seen.here & ~seen.inside(others) & ~seen.updating
    under = _under(seen)
    by_call: dict[int, dict[str, list[int]]] = {}
    for index in np.flatnonzero(here & seen.is_op & (under == np.arange(len(under)))).tolist():
        name = events.name_of(index)
        owner, call, _ = owner_of(seen, index)
        if owner < 0 or name in _READS or not name.startswith("aten::"):
            continue
        if call >= 0 and _through_a_module(seen, index, owner):
            continue
        by_call.setdefault(owner, {}).setdefault(name, []).append(index)
    by_owner: dict[str, dict[str, list[int]]] = {}
    for owner, names in by_call.items():
        # The call that the steps themselves are made in holds all of them
        turns = 1 if seen.here[owner] else len(trace.steps)
        for name, made in names.items():
            if len(made) >= _MANY * turns:
                by_owner.setdefault(events.name_of(owner), {}).setdefault(name, []).extend(made)
    found = [_loop(seen, owner, names, under) for owner, names in by_owner.items()]
    return tuple(sorted(found, key=lambda loop: (-loop.gain_ns, loop.owner)))


def _loop(seen: Host, owner: str, names: dict[str, list[int]], under: np.ndarray) -> Loop:
    events, steps = seen.trace.events, len(seen.trace.steps)
    chosen = np.array(sorted(i for made in names.values() for i in made), np.int64)
    mark = np.zeros(len(events), bool)
    mark[chosen] = True
    inner = np.flatnonzero((under >= 0) & mark[under])
    ways = np.bincount(under[inner], minlength=len(events))[chosen] * seen.dispatch_ns
    ops_ns = float(seen.clean_ns[chosen].sum())
    way_ns = float(np.minimum(seen.clean_ns[chosen], ways).sum())
    python_ns = _python_ns(seen, owner)
    most_ns = _BETWEEN * seen.dispatch_ns * len(chosen)
    between_ns = min(python_ns, most_ns)
    called = np.bincount(events.name[inner], minlength=len(events.names))
    back_ns, back_way_ns = _backward(seen, under, called)
    took_ns = seen.each_step(ops_ns + between_ns + back_ns)
    counts = sorted(((name, round(len(made) / steps)) for name, made in names.items()))
    return Loop(
        owner,
        tuple(sorted(counts, key=lambda each: -each[1])),
        tuple(chosen.tolist()),
        min(took_ns, seen.step_ns),
        min(seen.each_step(way_ns + between_ns + back_way_ns), seen.step_ns),
        python_ns <= most_ns,
    )


def _backward(seen: Host, under: np.ndarray, called: np.ndarray) -> tuple[float, float]:
    """What backward takes for operators called so often, and how much of it is the way."""
    events = seen.trace.events
    forward: dict[str, int] = {}
    for number in np.flatnonzero(called).tolist():
        plain = events.names[number].rpartition("::")[2].strip("_").replace("_", "").lower()
        forward[plain] = forward.get(plain, 0) + int(called[number])
    ways = np.bincount(under[under >= 0], minlength=len(events)) * seen.dispatch_ns
    took = way = 0.0
    for number, name in enumerate(events.names):
        said = _BACKWARD.match(name)
        count = forward.get(said[1].lower(), 0) if said else 0
        if not count:
            continue
        made = np.flatnonzero(seen.here & seen.is_op & (events.name == number))
        if len(made):
            part = min(count / len(made), 1.0)
            took += part * float(seen.clean_ns[made].sum())
            way += part * float(np.minimum(seen.clean_ns[made], ways[made]).sum())
    return took, way


def _python_ns(seen: Host, owner: str) -> float:
    """What Python takes in a function, with the ways to the operators that it calls itself."""
    alone, total = seen.self_ns(), 0.0
    for index in np.flatnonzero(seen.here & seen.is_python).tolist():
        around, call, _ = owner_of(seen, index)
        if around < 0 or seen.trace.events.name_of(around) != owner:
            continue
        if call < 0 or not _through_a_module(seen, index, around):
            total += float(alone[index])
    return total


def _through_a_module(seen: Host, index: int, owner: int) -> bool:
    """Whether a module lies between a function and what it calls: layers follow each other."""
    at = index
    while at >= 0 and at != owner:
        name = seen.trace.events.name_of(at)
        if name.startswith("nn.Module: ") or "autograd" in name:
            return True
        at = int(seen.parent[at])
    return False


def _under(seen: Host) -> np.ndarray:
    """Of each operator the outermost that it lies in, itself perhaps; -1: it is none."""
    under = np.full(len(seen.parent), -1, np.int64)
    held = np.full(len(seen.parent), -1, np.int64)
    is_op = seen.is_op.tolist()
    for index, parent in enumerate(seen.parent.tolist()):
        outer = int(held[parent]) if parent >= 0 and parent < index else -1
        if outer < 0 and is_op[index]:
            outer = index
        held[index] = outer
        if is_op[index]:
            under[index] = outer
    return under
