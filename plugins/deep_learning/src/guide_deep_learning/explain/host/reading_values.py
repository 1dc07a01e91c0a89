"""Values that are read one by one: `.item()`, `float(tensor)`, `int(tensor)` in a loop."""

from __future__ import annotations

import numpy as np

from guide.explain.trace import Ints, Trace
from guide.plugin import Verdict, Word
from guide_deep_learning.explain.host.facts import Host, host, on_cpu

_MANY = 16  # in one stretch of a step: fewer are no loop over a tensor
_WORTH = 0.01  # of a step
_BETWEEN = 8  # times what an operator costs may be computed between two of one loop
_READ_NS = 700.0  # what a read takes, where it was not measured
_WORD = Word(".item()", "reads one value out of a tensor into Python: a call for each value")


def values_one_by_one(trace: Trace) -> list[Verdict]:
    """Whether a loop of Python's reads values out of a tensor."""
    if not on_cpu(trace):
        return []
    seen = host(trace)
    loops = [loop for loop in loops_of(seen, reads_of(seen)) if len(loop) >= _MANY]
    if not loops:
        return []
    reads = np.concatenate(loops)
    took_ns = seen.each_step(sum(loop_ns(seen, loop) for loop in loops))
    if took_ns < _WORTH * seen.step_ns:
        return []
    count = round(len(reads) / len(trace.steps))
    # One operator does it for all of them, and one read takes the result
    gain_ns = max(round(took_ns - 4 * seen.dispatch_ns), 0)
    return [
        Verdict(
            "values read one by one",
            f"{count} values a step are read out of tensors in a loop of Python's: "
            f"{took_ns / 1e6:.3g} ms, {seen.share(took_ns)} of it.",
            gain_ns,
            why="Each read goes from Python through torch to one number and back. On a CPU "
            "nothing waits for it, but the way costs a microsecond, and there are many.",
            remedy="Let torch do it for all of them and read one number: tensor.sum().item(), "
            "tensor.tolist(), a comparison of whole tensors.",
            check="aten::item in the next trace: one or two a step.",
            sure="sure" if count > 100 else "likely",
            where=seen.places(reads[:200], (".item", "float", "int", "bool", ".tolist", "for")),
            evidence=(
                ("reads", f"{count} a step"),
                ("each, with the loop around it", f"{took_ns / max(count, 1) / 1e3:.2g} µs"),
            ),
            word=_WORD,
            teaches=("m0/s1", "m4/s5", "m1::e1"),
            pins=seen.pins(reads, 10),
        )
    ]


def reads_of(seen: Host) -> Ints:
    """The reads of a person's own functions.

    An optimizer that loops reads its own counters: that is another verdict.
    """
    events = seen.trace.events
    items = events.named("aten::item", "aten::is_nonzero", among=events.of("op"))
    items = items[seen.here[items] & ~seen.updating[items] & ~_checks(seen, items)]
    return seen.outermost(items)


def _checks(seen: Host, items: Ints) -> np.ndarray:
    """Of reads whether autograd's engine made them, which looks for NaN in anomaly mode."""
    parents = seen.parent[items]
    names = [seen.trace.events.name_of(int(p)) if p >= 0 else "" for p in parents]
    return np.array(["autograd::engine" in name for name in names], bool)


def loops_of(seen: Host, items: Ints) -> list[Ints]:
    """Reads that follow each other, with nothing between that computes, in one step."""
    if not len(items):
        return []
    operators = np.flatnonzero(seen.here & seen.is_op)
    spent = np.concatenate(([0.0], np.cumsum(seen.self_ns()[operators])))
    first = np.searchsorted(operators, items)
    own = np.searchsorted(seen.trace.events.start_ns[operators], seen.trace.events.end_ns[items])
    between_ns = spent[first[1:]] - spent[own[:-1]]
    far = between_ns > _BETWEEN * seen.dispatch_ns
    return np.split(items, np.flatnonzero(far) + 1)


def loop_frames(seen: Host) -> set[str]:
    """The functions that read values in a loop."""
    items = seen.trace.events.named("aten::item", among=seen.trace.events.of("op"))
    items = items[seen.here[items]]
    found = [loop for loop in loops_of(seen, seen.outermost(items)) if len(loop) >= _MANY]
    return {seen.own_frame(int(loop[len(loop) // 2])) for loop in found}


def loop_ns(seen: Host, loop: Ints) -> float:
    """What a loop of reads takes, with the taking apart of the tensor it goes over.

    Reckoned from what one read takes on this machine without the profiler, which makes each of
    them several times slower.
    """
    events, first, last = seen.trace.events, int(loop[0]), int(loop[-1])
    took = len(loop) * seen.figure("read_ns", _READ_NS)
    # What else it calls between the reads: an index into the tensor, a comparison
    between = np.arange(first, last)
    between = between[seen.here[between] & seen.is_op[between]]
    inside = seen.inside(loop)
    tops = [i for i in between[~inside[between]].tolist() if not seen.is_op[seen.parent[i]]]
    took += 2 * seen.dispatch_ns * len(tops)
    # `for value in tensor` takes it apart first, all at once
    operators = np.flatnonzero(seen.here & seen.is_op)
    before = events.named("aten::unbind", among=operators[operators < first])
    if len(before) and not len(_after(seen, operators, int(before[-1]), first)):
        took += len(loop) * seen.figure("apart_ns", _READ_NS)
    return took


def _after(seen: Host, operators: Ints, one: int, until: int) -> Ints:
    """Operators that begin after one has ended, and before another."""
    events = seen.trace.events
    some = operators[(operators > one) & (operators < until)]
    later: Ints = some[events.start_ns[some] >= events.end_ns[one]]
    return later
