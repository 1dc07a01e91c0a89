"""Time in which no operator computes: Python of a person's own, and operators too small to pay."""

from __future__ import annotations

import numpy as np

from guide.explain.source import candidates
from guide.explain.trace import Bools, Ints, Trace
from guide.plugin import Verdict, Word
from guide_deep_learning.explain.host.facts import Host, host, is_own, on_cpu
from guide_deep_learning.explain.host.reading_values import loop_frames

_MUCH = 0.2  # of a step in own Python, before it is said
_SMALL = 4  # times what dispatching costs: an operator that takes less computes next to nothing
_FEW = 50  # of them in a step are no reason
_MOSTLY = 0.6  # of a step in such operators and the way to them
_PYTHON = Word("Python-bound", "no operator is open: the interpreter is what takes the time")
_DISPATCH = Word("dispatch", "the way from Python to an operator's loop: a microsecond, each time")


def python_bound(trace: Trace) -> list[Verdict]:
    """Whether a person's own Python takes a good part of the step, with no operator open."""
    if not on_cpu(trace):
        return []
    events, seen = trace.events, host(trace)
    free = seen.here & ~_elsewhere(seen)
    own = np.flatnonzero(free & seen.is_python)
    own = own[[is_own(events.name_of(i)) for i in own.tolist()]] if len(own) else own
    if not len(own):
        return []
    by_name: dict[str, float] = {}
    alone = seen.self_ns()
    for index in own.tolist():
        name = events.name_of(index)
        by_name[name] = by_name.get(name, 0.0) + float(alone[index])
    for index, owner in _called(seen, free):
        name = events.name_of(owner)
        by_name[name] = by_name.get(name, 0.0) + float(alone[index])
    for told in loop_frames(seen):  # a loop of reads has a rule of its own
        by_name.pop(told, None)
    name = max(by_name, key=lambda each: (by_name[each], each), default="")
    took_ns = seen.each_step(by_name.get(name, 0.0))
    if took_ns < _MUCH * seen.step_ns:
        return []
    function = name.rpartition(": ")[2]
    mine = np.array([i for i in own.tolist() if events.name_of(i) == name], np.int64)
    return [
        Verdict(
            "bound by Python",
            f"{function} spends {took_ns / 1e6:.3g} ms of a step in Python itself, "
            f"{seen.share(took_ns)} of it; no operator is open meanwhile.",
            took_ns,
            why="While the interpreter works through a loop, no core computes for the model.",
            remedy="Put the loop into operators on whole tensors, or do it less often: logging "
            "every hundredth step, text that is joined once.",
            check="The next trace shows less time between operators; at most this much is won.",
            sure="likely",
            at_most=True,
            where=candidates(name, ("for", "print", ".append", "json.dumps"), seen.roots)[:3],
            evidence=(
                (f"in {function}, without operators", f"{took_ns / 1e6:.3g} ms a step"),
                ("step", f"{seen.step_ns / 1e6:.3g} ms"),
            ),
            word=_PYTHON,
            teaches=("m0/s1", "m0::e1"),
            pins=seen.pins(mine, 10),
        )
    ]


def small_operators(trace: Trace) -> list[Verdict]:
    """Whether most of the step is the way to operators that compute next to nothing."""
    if not on_cpu(trace):
        return []
    seen = host(trace)
    others = seen.here & (_elsewhere(seen) | _updates(seen))
    operators = np.flatnonzero(seen.here & seen.is_op & ~others)
    alone = seen.self_ns()[operators]
    big_ns = seen.each_step(alone[alone > _SMALL / 2 * seen.dispatch_ns].sum())
    small = _topmost(seen, operators[seen.clean_ns[operators] < _SMALL * seen.dispatch_ns])
    each = len(small) / len(trace.steps)
    other_ns = seen.each_step(seen.clean_ns[seen.outermost(np.flatnonzero(others))].sum())
    rest_ns = seen.step_ns - big_ns - other_ns
    if each < _FEW or rest_ns < _MOSTLY * seen.step_ns:
        return []
    gain_ns = min(rest_ns // 2, round(each * 3 * seen.dispatch_ns))
    return [
        Verdict(
            "many operators, each too small",
            f"{each:.0f} operators a step take hardly "
            f"longer than calling one: {rest_ns / 1e6:.3g} ms, {seen.share(rest_ns)} of it, is "
            "the way to them.",
            gain_ns,
            why="Each call of torch's goes from Python through a dispatcher to a loop over the "
            "elements. With few elements the way is longer than the loop.",
            remedy="Give each operator more: a larger batch, stacked weights instead of a loop "
            "over modules; or torch.compile, which makes few operators of many.",
            check="Samples a second, not steps: with twice the batch a step should take less "
            "than twice as long. Half of it at most is a guess.",
            sure="perhaps",
            at_most=True,
            where=seen.places(small[:: max(len(small) // 100, 1)], ("for",)),
            evidence=(
                ("small operators", f"{each:.0f} a step"),
                ("the smallest takes", f"{seen.dispatch_ns / 1e3:.2g} µs"),
                ("the way to them", f"{rest_ns / 1e6:.3g} ms a step"),
            ),
            word=_DISPATCH,
            teaches=("m1/s20", "m4/s5", "m4::e1"),
        )
    ]


def _elsewhere(seen: Host) -> Bools:
    """Of each event whether it belongs to the loader or to a compiler: others tell of those."""
    said = seen.trace.events.of("annotation", "op", "other")
    loader = seen.trace.events.named("enumerate(DataLoader)#", "dynamo_timed", among=said)
    return seen.inside(loader)


def _updates(seen: Host) -> Bools:
    said = seen.trace.events.of("annotation", "op")
    return seen.inside(seen.trace.events.named("Optimizer.step#", among=said))


def _topmost(seen: Host, small: Ints) -> Ints:
    """Those of some operators that were not called by another of them."""
    mark = np.zeros(len(seen.trace.events), bool)
    mark[small] = True
    around = seen.parent[small]
    found: Ints = small[(around < 0) | ~mark[around]]
    return found


def _called(seen: Host, free: Bools) -> list[tuple[int, int]]:
    """Calls of what is nobody's own and not torch's, with the own function they came from."""
    events, found = seen.trace.events, []
    for index in np.flatnonzero(free & seen.is_python).tolist():
        name = events.name_of(index)
        if is_own(name) or "torch" in name:
            continue
        at = int(seen.parent[index])
        while at >= 0 and seen.is_python[at] and "torch" not in events.name_of(at):
            if is_own(events.name_of(at)):
                found.append((index, at))
                break
            at = int(seen.parent[at])
    return found
