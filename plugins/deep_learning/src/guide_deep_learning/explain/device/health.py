"""What a GPU that is busy is busy with: the last word when nothing is wrong."""

from __future__ import annotations

import numpy as np

from guide.explain.trace import CATEGORIES, Bools, Ints, Trace, union
from guide.plugin import Verdict, Word
from guide.units import percent
from guide_deep_learning.explain.device.facts import Facts, facts_of
from guide_deep_learning.explain.device.telling import largest, ms, of_step, usual
from guide_deep_learning.explain.device.threads import around

_BUSY = 0.9
_COMPUTES = 0.8  # of the time; the rest of "busy" is moving bytes from one place to another
_DOMINATES = 1 / 3  # of the GPU's time, for one kernel that is neither product nor exchange
_MUCH = 1 / 5  # of it, for one that takes many times as long as what is usual beside it
_MANY_TIMES, _ENOUGH = 8, 20  # times another product's median; products that make a median
_OTHER = 0.1  # of the GPU's time, from which on it is said what is in "other"
_LOOKED_AT = 200  # launches of which it is looked up who asked for them
_KNOWN_GOOD = ("matrix product", "convolution", "attention", "communication", "fused")


def gpu_bound(trace: Trace) -> list[Verdict]:
    """A busy GPU is a healthy one; what it is busy with."""
    facts = facts_of(trace)
    if facts is None or facts.busy < _BUSY:
        return []
    moves = facts.of("communication", "copy in", "copy back", "copy peer")
    if facts.spent_ns(facts.inside & ~moves) < _COMPUTES * facts.window_ns:
        return []
    return [
        Verdict(
            "GPU-bound",
            f"The GPU is busy for {percent(facts.busy_ns, facts.window_ns)} of the time, as it "
            f"should be: the host is not what limits. {_limits(facts)}",
            sure="sure",
            evidence=usual(facts),
            word=Word("GPU-bound", "the GPU always has work: only other work makes it faster"),
            teaches=("m1/s20",),
        )
    ]


def one_kernel(trace: Trace) -> list[Verdict]:
    """One kernel that takes much of the GPU's time, and is of no kind that should.

    A third of it is much. So is a fifth, where it takes many times as long as others do, once.
    """
    facts = facts_of(trace)
    if facts is None:
        return []
    ids = trace.events.name[facts.work.event]
    kernels = facts.kernels & (~np.isin(facts.kinds, _KNOWN_GOOD) | _odd_products(facts, ids))
    if not kernels.any():
        return []
    spent = np.bincount(ids[kernels], facts.work.ns[kernels])
    worst = int(spent.argmax())
    mine = kernels & (ids == worst)
    least = _MUCH if _odd(facts, mine) else _DOMINATES
    if facts.spent_ns(mine) < least * facts.busy_ns:
        return []
    gain = facts.saved_ns(mine, 0.5)
    if not facts.matters(gain):
        return []
    count = int(mine.sum()) / facts.steps
    return [
        Verdict(
            "one kernel dominates",
            f"One kernel takes {percent(facts.spent_ns(mine), facts.busy_ns)} of the GPU's time: "
            f"{short(trace.events.names[worst])}, {count:,.3g} times{_asked_by(facts, mine)}. At "
            f"twice its speed it would save {of_step(facts, gain)}.",
            facts.per_step(gain),
            "So much of the time hangs on a single place. Whether it can be faster, its bytes and "
            "operations say: compare them with what the GPU can do.",
            "Look at that kernel first: its shapes and strides, another operator for the same, a "
            "library's own version of it. Nsight Compute says what limits it.",
            "In the next trace it is one kernel among others.",
            "perhaps",
            (),
            usual(facts, ("this kernel", ms(facts, facts.spent_ns(mine)))),
            Word("roofline", "the most a kernel can reach, by memory's rate or by the units'"),
            ("m0/s0", "m1/s20"),
            largest(facts, union(facts.work.start_ns[mine], facts.work.end_ns[mine])),
        )
    ]


def _odd(facts: Facts, mine: Bools) -> bool:
    """Whether a kernel takes many times as long as the others; an optimizer's does, and may."""
    others = facts.kernels & ~mine
    if int(others.sum()) < _ENOUGH or (facts.kinds[mine] == "optimizer").any():
        return False
    usual = np.median(facts.work.ns[others])
    return bool(np.median(facts.work.ns[mine]) > _MANY_TIMES * usual)


def _asked_by(facts: Facts, mine: Bools) -> str:
    """The operators that most of these kernels were launched by, as a clause; "": not known."""
    trace, spent = facts.trace, dict[str, int]()
    operator = CATEGORIES.index("op")
    for piece in np.flatnonzero(mine & (facts.work.launch >= 0))[:_LOOKED_AT].tolist():
        for event in around(trace, int(facts.work.launch[piece])):
            if trace.events.category[event] == operator:
                name = trace.events.name_of(event)
                spent[name] = spent.get(name, 0) + int(facts.work.ns[piece])
                break
    most = sorted(spent, key=lambda name: (-spent[name], name))[:1]
    return "".join(f", launched by {name}" for name in most)


def _odd_products(facts: Facts, ids: Ints) -> Bools:
    """The products of a name that take many times as long as the others': no model needs that."""
    products = facts.of("matrix product", "convolution")
    odd = np.zeros(len(ids), bool)
    for name in np.unique(ids[products]).tolist():
        mine, others = products & (ids == name), products & (ids != name)
        if int(others.sum()) < _ENOUGH or facts.spent_ns(mine) < 0.5 * facts.busy_ns:
            continue
        if np.median(facts.work.ns[mine]) > _MANY_TIMES * np.median(facts.work.ns[others]):
            odd |= mine
    return odd


def _of_others(facts: Facts) -> str:
    """The largest kernels of no known kind, by name, where they are much."""
    mine = facts.of("other")
    if facts.spent_ns(mine) < _OTHER * facts.busy_ns:
        return ""
    ids = facts.trace.events.name[facts.work.event]
    spent = np.bincount(ids[mine], facts.work.ns[mine])
    most = np.argsort(-spent, kind="stable")[:2]
    named = [
        f"{short(facts.trace.events.names[i], 40)} {percent(float(spent[i]), facts.busy_ns)}"
        for i in most.tolist()
        if spent[i] >= _OTHER / 2 * facts.busy_ns
    ]
    return f" ({', '.join(named)})" if named else ""


def taking_turns(trace: Trace) -> list[Verdict]:
    """Several devices, of which only one works at a time."""
    facts = facts_of(trace)
    if facts is None:
        return []
    number = trace.events.device[facts.work.event]
    used = [d for d in np.unique(number[facts.inside]).tolist() if d >= 0]
    spent = [facts.spent_ns(facts.inside & (number == d)) for d in used]
    if len(used) < 2 or max(spent) > 0.8 * facts.busy_ns:
        return []
    together = sum(spent) - facts.busy_ns
    if together > 0.2 * facts.busy_ns:
        return []
    gain = facts.busy_ns - max(max(spent), sum(spent) // len(used))
    return [
        Verdict(
            "devices take turns",
            f"{len(used)} GPUs work one after the other: at {percent(together, facts.busy_ns)} of "
            f"the time two of them work at once. Side by side would save {of_step(facts, gain)}.",
            facts.per_step(gain),
            "The model is cut into parts that lie on different GPUs, and each part waits for the "
            "one before.",
            "Cut the batch into pieces that follow one another through the parts (a pipeline), or "
            "put the whole model on each GPU (DistributedDataParallel).",
            "In the next trace kernels of all GPUs lie above one another.",
            "likely",
            (),
            usual(facts),
            Word("pipeline bubble", "time in which a part waits for what the part before makes"),
            ("m2/s21",),
        )
    ]


def short(name: str, most: int = 60) -> str:
    """A kernel's name without its arguments."""
    name = (
        name.removeprefix("void ")
        .replace("at::native::", "")
        .replace("(anonymous namespace)::", "")
        .partition("(")[0]
    )
    return name if len(name) <= most else f"{name[: most - 3]}..."


def _limits(facts: Facts) -> str:
    spent = {str(kind): facts.spent_ns(facts.of(str(kind))) for kind in np.unique(facts.kinds)}
    most = sorted(spent, key=lambda kind: (-spent[kind], kind))[:3]
    said = (
        f"{kind} {percent(spent[kind], facts.busy_ns)}"
        + (_of_others(facts) if kind == "other" else "")
        for kind in most
        if spent[kind]
    )
    return f"Most of its time goes to: {', '.join(said)}."
