"""Operators that move memory more than they compute; and one that takes most of the step."""

from __future__ import annotations

import functools
import re
from collections.abc import Callable

import numpy as np
from numpy.typing import NDArray

from guide.explain.trace import Bools, Ints, Trace
from guide.plugin import Verdict, Word
from guide_deep_learning.explain.host.facts import Host, host, is_operator, on_cpu
from guide_deep_learning.explain.host.looking import for_a_look

_COPIES_MUCH, _ELEMENTWISE_MUCH, _ONE_MUCH = 0.15, 0.5, 0.3  # of a step, before it is said
_SLOWER = 30  # times what moving its tensors takes: no function of an element takes that long
_LARGE = 1 << 14  # elements: what is smaller stays in the nearest cache
_COPIES = ("aten::copy_", "aten::clone", "aten::cat", "aten::stack", "aten::contiguous")
_ASKS = {*_COPIES, "aten::to", "aten::_to_copy", "aten::reshape", "aten::flatten", "aten::type_as"}
_ELEMENTWISE = re.compile(
    r"aten::(_?(add|sub|mul|div|pow|exp|log|sqrt|rsqrt|neg|abs|clamp\w*|where|relu|gelu|silu|tanh|"
    r"sigmoid|threshold|leaky_relu|elu|softplus|dropout|native_dropout|bernoulli|maximum|minimum|"
    r"lerp|addcmul|addcdiv|masked_fill|eq|ne|lt|gt|le|ge|to|fill|zero)_?(_backward)?_?)"
)
_COMPUTES = re.compile(
    r"mm|matmul|conv|linear|attention|lstm|gru|rnn|einsum|mkldnn|norm|softmax|embedding|nonzero"
    r"|index|fused|foreach|_local_scalar|unbind|quantized|fft|CompiledF|inductor|graph"
)
_COPY = Word("contiguous", "its elements lie in memory in the order they are counted in")
_BOUND = Word("memory-bound", "it waits for memory: more arithmetic would cost nothing")
_SLOW = Word("operator", "one function of torch's, such as aten::sort, as the profiler names it")


def copies(trace: Trace) -> list[Verdict]:
    """Whether copying takes a good part of the step."""
    found, _, seen = _chosen(trace, lambda name: name in _COPIES)
    if seen is None:
        return []
    # A product of matrices copies its bias into the result: that is its own business
    asked = [_asked_for(seen, i) for i in found.tolist()]
    found = found[np.array(asked, bool)] if asked else found
    took_ns = seen.each_step(seen.self_ns()[found].sum())
    if took_ns < _COPIES_MUCH * seen.step_ns:
        return []
    dtype = sum(_inside_of(seen, i, "aten::_to_copy") for i in found.tolist())
    converts = dtype > len(found) / 2
    what = "change the type of" if converts else "copy"
    return [
        Verdict(
            "conversions" if converts else "copies",
            f"Operators that only {what} tensors take {took_ns / 1e6:.3g} ms of a step, "
            f"{seen.share(took_ns)} of it.",
            took_ns,
            why="Each copy reads all of a tensor and writes it again, and nothing is computed.",
            remedy="Keep one type from the start: make batches in the type that the model wants."
            if converts
            else "Choose a layout once, and take views: .view, .transpose and slices copy "
            "nothing, .contiguous(), .clone(), cat and fancy indices do.",
            check="At most this much is won: what needs the copy may become slower without it.",
            sure="perhaps",
            at_most=True,
            where=seen.places(
                found[:100],
                (".contiguous", ".clone", ".to", ".float", ".double", ".half", "torch.cat", "cat"),
            ),
            evidence=(
                ("copying", f"{took_ns / 1e6:.3g} ms a step"),
                ("copies", f"{round(len(found) / len(trace.steps))} a step"),
            ),
            word=_COPY,
            teaches=("m1/s5", "m1/s4", "m1::e0"),
            pins=seen.pins(found),
        )
    ]


def elementwise(trace: Trace) -> list[Verdict]:
    """Whether operators that visit each element once, from memory to memory, are the limit."""
    found, took_ns, seen = _chosen(trace, lambda name: bool(_ELEMENTWISE.fullmatch(name)))
    if seen is None:
        return []
    # A disturbed step is no sign; and nothing takes more of a step than there is
    took_ns = min(took_ns, round(1.2 * seen.usual_ns(found)), seen.step_ns)
    if took_ns < _ELEMENTWISE_MUCH * seen.step_ns:
        return []
    large = sum(seen.elements(int(i)) >= _LARGE for i in found.tolist())
    if large < len(found) / 4:
        return []
    gain_ns = took_ns // 2  # fused, a chain of two or three reads and writes once
    return [
        Verdict(
            "element by element, through memory",
            f"Elementwise operators take {took_ns / 1e6:.3g} ms of a step, "
            f"{seen.share(took_ns)} of it.",
            gain_ns,
            why="Each reads its tensors from memory and writes one back, for an operation or two "
            "on each element: memory is the limit, not arithmetic.",
            remedy="torch.compile makes one pass of a chain of them; in-place forms and fused "
            "layers (F.gelu, LayerNorm, cross_entropy) save passes, too.",
            check="At most about this much: of a chain of two that is fused, one pass is left.",
            sure="perhaps",
            at_most=True,
            where=seen.places(found[:200], ()),
            evidence=(
                ("elementwise", f"{took_ns / 1e6:.3g} ms a step"),
                ("this machine copies", f"{seen.bytes_per_s / 1e9:.3g} GB/s"),
            ),
            word=_BOUND,
            teaches=("m1/s20", "m2/s1", "m1::e8"),
            pins=seen.pins(found),
        )
    ]


def one_operator(trace: Trace) -> list[Verdict]:
    """Whether one operator that is not a model's arithmetic takes a good part of the step."""
    if not on_cpu(trace):
        return []
    seen = host(trace)
    operators = np.flatnonzero(seen.here & seen.is_op)
    alone = _without_operators(seen, operators)
    of: dict[str, list[int]] = {}
    for index in operators[~_others(seen)[operators]].tolist():
        of.setdefault(_meant(seen, index), []).append(index)
    took = {
        name: round(seen.usual_ns(np.array(indices, np.int64), alone))
        for name, indices in of.items()
        if is_operator(name) and name not in _ASKS and not _COMPUTES.search(name)
    }
    name = max(took, key=lambda each: (took[each], each), default="")
    took_ns = took.get(name, 0)
    if took_ns < _ONE_MUCH * seen.step_ns:
        return []
    mine = np.array(of[name], np.int64)
    moved = 8 * sum(seen.elements(int(i)) for i in mine.tolist())
    least_ns = seen.each_step(moved / seen.bytes_per_s * 1e9)
    if _ELEMENTWISE.fullmatch(name) and took_ns < _SLOWER * least_ns:
        return []  # as slow as memory and a function of each element are
    return [
        Verdict(
            "one operator takes much of it",
            f"{name} takes {took_ns / 1e6:.3g} ms of a step, {seen.share(took_ns)} of it.",
            max(took_ns - least_ns, 0),
            why="It is no product of matrices, no convolution and no attention, which are what a "
            "model reckons with.",
            remedy="Ask whether the step needs it: less often, on fewer elements, or by another "
            "operator.",
            check="At most this much is won, if it goes.",
            sure="perhaps",
            at_most=True,
            where=seen.places(mine[:100], (f".{name.rpartition('::')[2]}",)),
            evidence=(
                (name, f"{took_ns / 1e6:.3g} ms a step"),
                ("reading and writing its tensors once", f"{least_ns / 1e6:.3g} ms"),
                ("calls", f"{round(len(mine) / len(trace.steps))} a step"),
            ),
            word=_SLOW,
            teaches=("m0/s2", "m0::e3"),
            pins=seen.pins(mine),
        )
    ]


def _without_operators(seen: Host, operators: Ints) -> NDArray[np.float64]:
    """Of each operator its time without those it calls; what it does in Python is its own."""
    left = seen.clean_ns.copy()
    for index in operators.tolist():
        at = int(seen.parent[index])
        while at >= 0 and not seen.is_op[at]:
            at = int(seen.parent[at])
        if at >= 0:
            left[at] -= seen.clean_ns[index]
    return left


def _chosen(trace: Trace, wanted: Callable[[str], bool]) -> tuple[Ints, int, Host | None]:
    """Operators by name that are nobody else's business, and their own time in a step."""
    nothing = np.empty(0, np.int64)
    if not on_cpu(trace):
        return nothing, 0, None
    events, seen = trace.events, host(trace)
    others = _others(seen)
    chosen = np.array([wanted(name) for name in events.names], bool)
    found = np.flatnonzero(seen.here & seen.is_op & chosen[events.name] & ~others)
    return found, seen.each_step(seen.self_ns()[found].sum()), seen


@functools.lru_cache(maxsize=2)
def _others(seen: Host) -> Bools:
    """Of each event whether other rules tell of it: a loader's, an update's, what is for a log."""
    events = seen.trace.events
    said = events.of("annotation", "op")
    loader = seen.inside(events.named("enumerate(DataLoader)#", among=said))
    others: Bools = loader | seen.updating | for_a_look(seen)
    return others


def _meant(seen: Host, index: int) -> str:
    """An operator's name; of a copy that of the operator that was asked for and makes it."""
    name = seen.trace.events.name_of(index)
    at = index if name in _COPIES else -1
    while at >= 0 and seen.is_op[at]:
        above = seen.trace.events.name_of(at)
        name = above if above.startswith("aten::") else name
        at = int(seen.parent[at])
    return name


def _asked_for(seen: Host, index: int) -> bool:
    """Whether a copy was made for its own sake: no operator that computes called it."""
    at = int(seen.parent[index])
    while at >= 0 and seen.is_op[at]:
        if seen.trace.events.name_of(at) not in _ASKS:
            return False
        at = int(seen.parent[at])
    return True


def _inside_of(seen: Host, index: int, name: str) -> bool:
    at = int(seen.parent[index])
    while at >= 0 and seen.is_op[at]:
        if seen.trace.events.name_of(at) == name:
            return True
        at = int(seen.parent[at])
    return False
