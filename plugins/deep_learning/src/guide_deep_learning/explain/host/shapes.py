"""Shapes that depend on values: a boolean mask as an index, nonzero, masked_select, unique."""

from __future__ import annotations

import numpy as np

from guide.explain.trace import Ints, Trace
from guide.plugin import Verdict, Word
from guide_deep_learning.explain.host.facts import Host, host, on_cpu

_WORTH = 0.04  # of a step
_SELECTS = ("aten::nonzero", "aten::masked_select", "aten::unique", "aten::_unique2")
_BACKWARD = ("evaluate_function: IndexBackward", "evaluate_function: MaskedSelectBackward")
_TIMES_NS = 0.5  # for each element, where it was not measured
_WORD = Word("boolean mask", "tensor[mask] keeps some elements: how many, only a count can tell")


def data_dependent_shapes(trace: Trace) -> list[Verdict]:
    """Whether elements are cut out by a condition where they could be set to zero."""
    if not on_cpu(trace):
        return []
    events, seen = trace.events, host(trace)
    operators = events.of("op")
    found = events.named(*_SELECTS, among=operators[seen.here[operators]])
    if not len(found):
        return []
    outer = seen.outermost(np.unique([_whole(seen, int(i)) for i in found]))
    took_ns = seen.each_step(seen.clean_ns[outer].sum())
    if took_ns < _WORTH * seen.step_ns:
        return []
    elements = sum(_elements(seen, found, int(i)) for i in outer)
    instead_ns = seen.each_step(elements * seen.figure("times_ns", _TIMES_NS))
    gain_ns = max(took_ns - instead_ns, 0)
    asked = [i for i in outer.tolist() if "evaluate_function" not in events.name_of(i)]
    return [
        Verdict(
            "a boolean mask as an index",
            f"Cutting elements out by a mask takes {took_ns / 1e6:.3g} ms of a step, "
            f"{seen.share(took_ns)} of it, forward and backward.",
            gain_ns,
            why="The mask is first turned into a list of positions, one after the other on one "
            "thread, then those are gathered; backward it is all done again. And no compiler "
            "knows the shape that comes of it.",
            remedy="Keep the shape, and let what does not count be zero: x * mask, and for a mean "
            "divide by mask.sum(). Where x may be NaN or infinite, torch.where(mask, x, 0): on a "
            "CPU it looks before each element, and wins less.",
            check="aten::nonzero is gone from the next trace.",
            sure="sure" if "times_ns" in seen.about else "likely",
            where=seen.places(asked[:40], ("[mask]", ".nonzero", ".masked_select", ".unique")),
            evidence=(
                ("cutting out", f"{took_ns / 1e6:.3g} ms a step"),
                ("x * mask on as many elements", f"{instead_ns / 1e6:.3g} ms a step"),
                ("elements looked at", f"{elements // len(trace.steps):,} a step"),
            ),
            word=_WORD,
            teaches=("m4/s3", "m4::e2"),
            pins=seen.pins(outer),
        )
    ]


def _whole(seen: Host, index: int) -> int:
    """The operator that a search for positions was made for: an index, or its backward."""
    events, best, at = seen.trace.events, index, int(seen.parent[index])
    while at >= 0 and seen.is_op[at]:
        name = events.name_of(at)
        if name.startswith(("aten::index", "aten::_index_put", "aten::where")):
            best = at
        if any(part in name for part in _BACKWARD):
            return at
        at = int(seen.parent[at])
    return best


def _elements(seen: Host, found: Ints, outer: int) -> int:
    events = seen.trace.events
    inside = (events.start_ns[found] >= events.start_ns[outer]) & (
        events.end_ns[found] <= events.end_ns[outer]
    )
    return sum(seen.elements(int(i)) for i in found[inside])
