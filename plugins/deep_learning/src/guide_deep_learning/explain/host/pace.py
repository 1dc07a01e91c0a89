"""Time in which no operator computes: Python of a person's own, and operators too small to pay."""

from __future__ import annotations

import numpy as np

from guide.explain.source import candidates
from guide.explain.trace import Bools, Ints, Trace
from guide.plugin import Verdict, Word
from guide_deep_learning.explain.host.between import Between, between, function_of, short
from guide_deep_learning.explain.host.facts import Host, host, on_cpu
from guide_deep_learning.explain.host.looping import worth_telling
from guide_deep_learning.explain.host.reading_values import loop_frames

_MUCH = 0.04  # of a step between operators, before it is said
_MOST = 3  # functions that are named
_SMALL = 4  # times what dispatching costs: an operator that takes less computes next to nothing
_COMPILED = ("Torch-Compiled Region", "CompiledFunction", "CompiledFxGraph")
_FEW = 50  # of them in a step are no reason
_MOSTLY = 0.6  # of a step in such operators and the way to them
_PYTHON = Word("Python-bound", "no operator is open: the interpreter is what takes the time")
_WAIT = Word("blocking", "a call that comes back only when something else has happened")
_DISPATCH = Word("dispatch", "the way from Python to an operator's loop: a microsecond, each time")


def python_bound(trace: Trace) -> list[Verdict]:
    """Whether functions of a person's own take a good part of the step, with no operator open."""
    if not on_cpu(trace):
        return []
    seen = host(trace)
    # Loops of reads and of small operators have rules of their own
    told = {loop.owner for loop in worth_telling(trace) if loop.all_python}
    free = seen.here & ~_elsewhere(seen) & ~_computing(seen)
    found = between(seen, free, loop_frames(seen) | told)
    own: dict[str, list[Between]] = {}
    others: list[Verdict] = []
    for each in found:
        if not (each.waits or each.torch):
            own.setdefault(each.owner, []).append(each)
        elif each.ns >= _MUCH * seen.step_ns:
            others.append(_waits(seen, each) if each.waits else _calls(seen, each))
    kept = [(sum(each.ns for each in parts), name, parts) for name, parts in own.items()]
    kept = [each for each in kept if each[0] >= _MUCH * seen.step_ns]
    mine = [_computes(seen, name, parts) for _, name, parts in sorted(kept)[::-1]]
    return mine[:_MOST] + others[:_MOST]


def _computes(seen: Host, name: str, parts: list[Between]) -> Verdict:
    """What a function works through by itself, and in what it calls that is not torch's."""
    function = function_of(name)
    took_ns = _least(seen, sum(each.ns for each in parts))
    calls = [each for each in parts if each.called and each.ns > took_ns / 4]
    told = f", much of it in {short(calls[0].called)}" if calls else ""
    constructs = [made for each in calls for made in _made_by(each)]
    return Verdict(
        "bound by Python",
        f"{function} spends {took_ns / 1e6:.3g} ms of a step in Python itself, "
        f"{seen.share(took_ns)} of it{told}; no operator is open meanwhile.",
        took_ns,
        why="While the interpreter works through a loop, no core computes for the model.",
        remedy="Put the loop into operators on whole tensors, or do it less often: logging "
        "every hundredth step, text that is joined once.",
        check="The next trace shows less time between operators; at most this much is won.",
        sure="likely",
        at_most=True,
        where=candidates(name, (*constructs, "for", "print", ".append", "json.dumps"), seen.roots)[
            :3
        ],
        evidence=(
            (f"in {function}, without operators", f"{took_ns / 1e6:.3g} ms a step"),
            *((f"in {short(each.called)}", f"{each.ns / 1e6:.3g} ms a step") for each in calls[:2]),
            ("step", f"{seen.step_ns / 1e6:.3g} ms"),
        ),
        word=_PYTHON,
        teaches=("m0/s1", "m0::e1"),
        pins=seen.pins(np.array([i for each in parts for i in each.events], np.int64), 10),
    )


def _calls(seen: Host, each: Between) -> Verdict:
    """A function of torch's that is no way to an operator: it writes a file, or prints."""
    called, took_ns = short(each.called), _least(seen, each.ns)
    where = candidates(each.owner, _made_by(each), seen.roots)[:3]
    at = f", called at {where[0].file}:{where[0].line}" if where and where[0].line else ""
    return Verdict(
        "Python between operators",
        f"{took_ns / 1e6:.3g} ms of a step, {seen.share(took_ns)} of it, in {called}{at}; no "
        "operator is open meanwhile.",
        took_ns,
        why="It is torch's own, but no arithmetic: while it writes a file, prints, or goes "
        "through a list of Python's, no core computes for the model.",
        remedy=f"Call {called} less often: every thousandth step, or once an epoch; what is made "
        "of lists can be made of an array.",
        check="The next trace shows less time between operators; at most this much is won.",
        sure="likely",
        at_most=True,
        where=where,
        evidence=(
            (f"in {called}, without operators", f"{took_ns / 1e6:.3g} ms a step"),
            ("step", f"{seen.step_ns / 1e6:.3g} ms"),
        ),
        word=_PYTHON,
        teaches=("m0/s1", "m0::e1"),
        pins=seen.pins(np.array(each.events, np.int64), 10),
    )


def _waits(seen: Host, each: Between) -> Verdict:
    """Nothing computes, Python neither: a sleep, a lock, an answer that has not come."""
    longest = max(each.events, key=lambda i: (seen.clean_ns[i], -i))
    name = short(seen.trace.events.name_of(longest))
    function, took_ns = function_of(each.owner), _least(seen, each.ns)
    return Verdict(
        "waiting, not computing",
        f"{function} waits {took_ns / 1e6:.3g} ms of a step, {seen.share(took_ns)} of it, in "
        f"{name}: nothing computes meanwhile, Python neither.",
        took_ns,
        why="The step stands still until a time is over, or another thread, a file or a socket "
        "has answered. No quicker code shortens that.",
        remedy="Take the wait out of the step: drop a sleep, let a thread wait beside it, or ask "
        "for the next answer before this one is used.",
        check=f"{name} is gone from the next trace, or much shorter; at most this much is won.",
        sure="likely",
        at_most=True,
        where=candidates(
            each.owner, (f"time.{name}", name, f".{name}", *_made_by(each)), seen.roots
        )[:3],
        evidence=(
            (f"in {name}", f"{took_ns / 1e6:.3g} ms a step"),
            ("step", f"{seen.step_ns / 1e6:.3g} ms"),
        ),
        word=_WAIT,
        teaches=("m0/s1", "m0::e1"),
        pins=seen.pins(np.array(each.events, np.int64), 10),
    )


def _made_by(each: Between) -> tuple[str, ...]:
    """How a call of it is written."""
    name = short(each.called).rpartition(".")[2]
    return (name, f".{name}") if name.isidentifier() else ()


def _least(seen: Host, ns: float) -> int:
    return min(round(ns), seen.step_ns)


def small_operators(trace: Trace) -> list[Verdict]:
    """Whether most of the step is the way to operators that compute next to nothing."""
    if not on_cpu(trace):
        return []
    seen = host(trace)
    others = seen.here & (_elsewhere(seen) | seen.updating)
    operators = np.flatnonzero(seen.here & seen.is_op & ~others)
    alone = seen.self_ns()[operators]
    big_ns = seen.each_step(alone[alone > _SMALL / 2 * seen.dispatch_ns].sum())
    small = _topmost(seen, operators[seen.clean_ns[operators] < _SMALL * seen.dispatch_ns])
    each = len(small) / len(trace.steps)
    other_ns = seen.each_step(seen.clean_ns[seen.outermost(np.flatnonzero(others))].sum())
    rest_ns = seen.step_ns - big_ns - other_ns
    if each < _FEW or rest_ns < _MOSTLY * seen.step_ns or worth_telling(trace):
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


def _computing(seen: Host) -> Bools:
    """Of each event whether it lies in an operator, or in what a compiler has made of some."""
    events = seen.trace.events
    said = events.of("annotation", "op", "other")
    # Backward's engine and a function's own backward are only the way to operators
    return seen.inside(events.named("aten::", *_COMPILED, among=said))


def _topmost(seen: Host, small: Ints) -> Ints:
    """Those of some operators that were not called by another of them."""
    mark = np.zeros(len(seen.trace.events), bool)
    mark[small] = True
    around = seen.parent[small]
    found: Ints = small[(around < 0) | ~mark[around]]
    return found
