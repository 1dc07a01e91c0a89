"""The optimizer that goes through its parameters one by one."""

from __future__ import annotations

import numpy as np

from guide.explain.trace import Ints, Trace
from guide.plugin import Verdict, Word
from guide_deep_learning.explain.host.facts import Host, host, on_cpu

_MANY = 5  # operators for each parameter: an update that is fused takes less than one
_PASSES = 7  # parameter, gradient and two moments read, three of them written
_WORTH = 0.03  # of a step: a gain below that is not told as one
_OTHERS = 0.5  # processors that others keep busy, from which on a trial may have been disturbed
_WORD = Word(
    "fused", "one operator that updates all parameters in one pass over memory, not ten small ones"
)


def optimizer_loop(trace: Trace) -> list[Verdict]:
    """Whether an optimizer's step is a loop over the parameters, which is the default on a CPU."""
    if not on_cpu(trace):
        return []
    events, seen = trace.events, host(trace)
    steps = events.named("Optimizer.step#", among=events.of("annotation", "op"))
    steps = steps[seen.here[steps]]
    if not len(steps):
        return []
    operators = np.flatnonzero(seen.inside(steps) & seen.updating & seen.is_op)
    if len(events.named("_foreach_", "_fused_", among=operators)):
        return []
    tensors = _tensors(seen, operators, len(steps))
    each = len(operators) / len(steps)
    if not tensors or each < _MANY * tensors:
        return []
    hooks = seen.outermost(np.flatnonzero(seen.inside(steps) & ~seen.updating))
    took_ns = seen.each_step(seen.clean_ns[steps].sum() - seen.clean_ns[hooks].sum())
    kind = events.name_of(int(steps[0])).partition("#")[2].partition(".")[0]
    loop_ns, fused_ns, tried = _fused_ns(seen, kind, operators)
    # Both of a trial were measured without the profiler, and in turn, so they are believed; but a
    # program spends no more on it than its trace shows, which is longer for being watched
    watched_ns = seen.each_step(events.ns[steps].sum() - events.ns[hooks].sum())
    gain_ns = max(min(loop_ns - fused_ns, round(watched_ns * (1 - fused_ns / loop_ns))), 0)
    if not tried:
        gain_ns = max(took_ns - fused_ns, 0)
    how = "tried on tensors of these shapes" if tried else "from what it has to move"
    return [
        Verdict(
            "an optimizer that loops",
            f"{kind} makes {each:.0f} small operators a step, for {tensors} tensors: "
            f"{took_ns / 1e6:.3g} ms, {seen.share(took_ns)} of it.{_but(seen, gain_ns, tried)}",
            gain_ns,
            why="Each parameter is updated by itself, with a dozen operators that each read and "
            "write it whole. On a CPU that is what torch does unless it is told otherwise.",
            remedy=f"Say so where it is made: torch.optim.{kind}(..., fused=True).",
            check="The trace then has one aten::_fused_... in the optimizer's step.",
            sure="sure" if tried else "likely",
            where=seen.calls(kind) or seen.places(steps[:20], (".step",)),
            evidence=(
                ("the optimizer's step", f"{took_ns / 1e6:.3g} ms"),
                *((("the loop, tried in the same way", f"{loop_ns / 1e6:.3g} ms"),) * tried),
                (f"the same fused, {how}", f"{fused_ns / 1e6:.3g} ms"),
                ("operators in it", f"{each:.0f}"),
                ("tensors", f"{tensors}"),
            ),
            word=_WORD,
            teaches=("m1/s20", "m1/s1", "m1::e8"),
            pins=seen.pins(steps),
        )
    ]


def _but(seen: Host, gain_ns: int, tried: bool) -> str:
    """Why it is left as it is, where there is next to nothing to win."""
    if gain_ns >= _WORTH * seen.step_ns:
        return ""
    if not tried:
        return " Fused it would move as much."
    if gain_ns:
        return f" Tried fused, it was {gain_ns / 1e6:.2g} ms less."
    busy = seen.figure("others", 0) >= _OTHERS
    again = (
        ", while other programs were at work: profile it again when they are not" if busy else ""
    )
    return f" Tried fused: no faster here{again}."


def _tensors(seen: Host, operators: Ints, steps: int) -> int:
    said = seen.about.get("optimizer")
    if isinstance(said, dict) and isinstance(said.get("tensors"), int):
        return int(said["tensors"])
    # Every loop divides, or adds what it has found, in place: once for each tensor
    names = ("aten::addcdiv_", "aten::add_", "aten::sub_")
    events = seen.trace.events
    counts = [len(events.named(name, among=operators)) for name in names]
    return round(next((count for count in counts if count), 0) / steps)


def _fused_ns(seen: Host, kind: str, operators: Ints) -> tuple[int, int, bool]:
    """What the loop and the fused form take, and whether that was tried on this machine."""
    said = seen.about.get("optimizer")
    if isinstance(said, dict) and said.get("kind") == kind:
        took = [said.get(name) for name in ("loop_ns", "fused_ns")]
        loop_ns, fused_ns = (round(ns) if isinstance(ns, int | float) else 0 for ns in took)
        if min(loop_ns, fused_ns) > 0:
            return loop_ns, fused_ns, True
    events = seen.trace.events
    updates = events.named("aten::addcdiv_", "aten::add_", among=operators)
    elements = sum(seen.elements(int(i)) for i in updates) / max(len(seen.trace.steps), 1)
    fused_ns = round(_PASSES * 4 * elements / seen.bytes_per_s * 1e9 + 10 * seen.dispatch_ns)
    return max(fused_ns, 1), fused_ns, False
