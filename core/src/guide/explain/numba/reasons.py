"""Why a loop is not vectorised, or only in name: from LLVM's words, the source, and what cures it.

LLVM's words name a symptom ("early exit loop"), the source the candidates (a `break`, a division
that may raise), and compiling without a candidate decides between them.
"""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

from guide.explain.numba import syntax
from guide.explain.numba.code import CodeLoop, read_loops
from guide.explain.numba.compiling import Compiled
from guide.explain.numba.cures import Case, downward
from guide.explain.numba.remarks import LoopRemarks, Remark

_EXITS = (
    "early exit",
    "early exiting",
    "unsupported switch",
    "control flow is not understood",
    "uncountable",
    "more than one exit",
)
_UNKNOWN_COUNT = ("uncountable", "could not determine number of loop iterations")
_LIBM = (
    *("sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh"),
    *("exp", "exp2", "exp10", "expm1", "log", "log2", "log10", "log1p", "pow", "cbrt"),
)
_OF_EXPRESSIONS = ("order", "scalar", "layout", "division", "allocation", "width", "list", "nan")
_DIVIDES = re.compile(r" (?:frem(?: \w+)*|[su]div(?: exact)?|[su]rem) <\d+ x")
_ALLOCATES = ("NRT_Allocate", "NRT_MemInfo_alloc", "NRT_MemInfo_varsize_alloc")


@dataclass(frozen=True, slots=True)
class Reason:
    """One thing that stands in the way of one loop.

    Attributes:
        key: which, as in `words.WORDS`.
        line: the line to mend.
        loop: the line that the loop begins at.
        detail: what stands there, such as the name of what is called.
        llvm: LLVM's own words; "" where it was seen in the code.
        cure: what took it away when it was tried; "" where nothing was tried or helped.
    """

    key: str
    line: int
    loop: int
    detail: str = ""
    llvm: str = ""
    cure: str = ""


@dataclass(frozen=True, slots=True)
class LoopReasons:
    """A loop of the source: what stands in its way, one after the other, as it was taken away.

    `lanes` is how many elements a turn handles side by side as it is, `cured` with all cures.
    """

    line: int
    end: int
    lanes: int
    reasons: tuple[Reason, ...] = ()
    cured: int = 1

    @property
    def cures(self) -> frozenset[str]:
        """All cures of its reasons."""
        return frozenset(one.cure for one in self.reasons if one.cure)


@dataclass(frozen=True)
class _Span:
    """A loop of the source, or one line that stands for a loop (an array expression)."""

    line: int
    end: int
    node: ast.AST
    kind: str


def loops_of(case: Case) -> list[LoopReasons]:
    """What LLVM made of each loop that it looked at, and why not more."""
    found = []
    for span in _spans(case, case.base):
        lanes = _lanes(case, case.base, span)
        found.append(_climb(case, span, lanes))
    return found


def _climb(case: Case, span: _Span, lanes: int) -> LoopReasons:
    reasons: list[Reason] = []
    cures: frozenset[str] = frozenset()
    now, compiled = lanes, case.base
    while len(reasons) < 4 and (reason := _reason(case, span, compiled, cures)):
        if reason in reasons:
            break
        if span.kind == "expression" and reason.key not in _OF_EXPRESSIONS:
            break  # it fills, copies or shares out: nobody wrote that loop, or could mend it
        reasons.append(reason)
        if not reason.cure:
            break
        cures |= {reason.cure}
        after = case.compiled(cures)
        if after is None:
            break
        compiled, now = after, _lanes(case, after, span)
    return LoopReasons(span.line, span.end, lanes, tuple(reasons), now)


def _spans(case: Case, compiled: Compiled) -> Iterator[_Span]:
    """The loops of the source that LLVM looked at, each once, in LLVM's order.

    Array expressions in a loop are loops of their own; where some of them are vectorised and
    others are not, each stands for itself.
    """
    whole: dict[int, tuple[_Span, list[LoopRemarks]]] = {}
    for loop in compiled.loops:
        if span := _span(case, loop):
            whole.setdefault(span.line, (span, []))[1].append(loop)
    for span, loops in whole.values():
        inside = [one for one in whole if span.line < one <= span.end]
        if span.kind != "expression" and any(_is_loop(case, one) for one in inside):
            continue  # what is left of an outer loop where the inner one has no turns
        good = {loop.line for loop in loops if loop.lanes > 1}
        bad = {loop.line for loop in loops if loop.lanes == 1 and not loop.gone}
        if good and bad - good and span.kind != "expression":
            for line in sorted(good | bad):
                yield _expression(case, line) or span
        else:
            yield span


def _is_loop(case: Case, line: int) -> bool:
    return any(loop.line == line for loop in case.source.loops)


def _span(case: Case, loop: LoopRemarks) -> _Span | None:
    source = case.source
    if loop.file != source.file or not source.holds(loop.line):
        return None
    at = source.loop_at(loop.line)
    return _Span(at.line, at.end, at.node, at.kind) if at else _expression(case, loop.line)


def _expression(case: Case, line: int) -> _Span | None:
    around = [
        one
        for node in case.source.tree.body
        for one in ast.walk(node)
        if isinstance(one, ast.stmt) and one.lineno <= line <= (one.end_lineno or 0)
    ]
    smallest = max(around, key=lambda one: one.lineno, default=None)
    return _Span(line, line, smallest, "expression") if smallest else None


def _of(case: Case, compiled: Compiled, span: _Span) -> list[LoopRemarks]:
    if span.kind == "expression":
        own = [loop for loop in compiled.loops if loop.file == case.source.file]
        return [loop for loop in own if loop.line == span.line]
    return [loop for loop in compiled.loops if _span(case, loop) == span]


def _lanes(case: Case, compiled: Compiled, span: _Span) -> int:
    lanes = [0 if loop.gone else loop.lanes for loop in _of(case, compiled, span)]
    return max(lanes, default=1)


def _code(case: Case, compiled: Compiled, span: _Span, *, inner: bool = True) -> list[CodeLoop]:
    within = set(range(span.line, span.end + 1))
    file = case.source.file
    return [
        one
        for one in read_loops(compiled.ir)
        if (one.inner or not inner) and one.lines(file) & within
    ]


def _reason(case: Case, span: _Span, compiled: Compiled, cures: frozenset[str]) -> Reason | None:
    """What stands first in the way of a loop as it is compiled now; None: nothing does."""
    loops = _of(case, compiled, span)
    scalar = [loop for loop in loops if loop.lanes == 1 and not loop.gone]
    if scalar and not any(loop.lanes > 1 for loop in loops):
        said = tuple(one for loop in scalar for one in loop.reasons)
        return _missed(case, span, said, compiled, cures)
    # A sum and an array expression may share a line; the sum is no version of the other's loop
    sums = [one for loop in scalar for one in loop.reasons if "reorder floating" in one.text]
    if sums:
        return _missed(case, span, tuple(sums), compiled, cures)
    return _in_name_only(case, span, compiled, cures)


def _missed(
    case: Case, span: _Span, said: tuple[Remark, ...], compiled: Compiled, cures: frozenset[str]
) -> Reason:
    text = "; ".join(dict.fromkeys(one.text for one in said))

    def reason(key: str, line: int, detail: str = "", cure: str = "") -> Reason:
        return Reason(key, line or span.line, span.line, detail, text, cure)

    def cured(cure: str) -> bool:
        after = case.compiled(cures | {cure}) if cure not in cures else None
        return after is not None and _said(case, after, span) != _said(case, compiled, span)

    def line_of(*words: str) -> int:
        lines = [one.line for one in said if any(word in one.text for word in words)]
        return next((line for line in lines if span.line <= line <= span.end), span.line)

    if allocated := _allocation(case, span, compiled):
        return reason("allocation", allocated)
    if (listed := _listed(case, span)) and cured("list"):
        return reason("list", listed[0], listed[1], "list")
    if case.options.get("boundscheck") and cured("bounds"):
        line = next((one.lineno for one in syntax.subscripts(span.node)), 0)
        return reason("bounds", line, cure="bounds")
    divided = syntax.divisions(span.node)
    if divided and case.options.get("error_model") != "numpy" and cured("division"):
        return reason("division", divided[0], cure="division")
    if "call instruction" in text:
        line = line_of("call instruction")
        key, line, name = _called(case, span, line)
        return reason(key, line, name)
    if left := _left(span, text):
        return reason("exit", *left)
    if "reorder floating-point" in text:
        line = line_of("reorder")
        return reason("order", line, cure="order" if cured("order") else "")
    if "identified as reduction" in text:
        return _recurrence(reason, span, line_of("identified"), cured)
    found = syntax.indirect(span.node)
    if not found and "array bounds" in text:
        line = line_of("array bounds")
        here = [one for one in syntax.subscripts(span.node) if one.lineno == line]
        found = [(line, ast.unparse(one)) for one in here]
    looked_up = "moves" if syntax.only_moves(span.node) else "indirect"
    if found and ("array bounds" in text or "dependent memory" in text):
        return reason(looked_up, *found[0])
    if "dependent memory" in text:
        return reason("carried", line_of("dependent memory"))
    if (spread := _spread(case, span, "A")) and cured("layout"):
        return reason("layout", spread[0], spread[1], "layout")
    if any(word in text.lower() for word in _UNKNOWN_COUNT) or span.kind == "while":
        return reason("count", span.line)
    if "not beneficial" in text:
        return reason("cost", line_of("not beneficial"))
    if found:
        return reason(looked_up, *found[0])
    return reason("other", said[0].line if said else span.line, text)


def _said(case: Case, compiled: Compiled, span: _Span) -> tuple[Any, ...]:
    loops = _of(case, compiled, span)
    return tuple(sorted({(one.lanes > 1, *(why.text for why in one.reasons)) for one in loops}))


def _left(span: _Span, text: str) -> tuple[int, str] | None:
    symptoms = (*_EXITS, *_UNKNOWN_COUNT, "identified as reduction")
    if not any(word in text.lower() for word in symptoms):
        return None
    if not isinstance(span.node, ast.For | ast.While):
        return None
    left = syntax.exits(syntax.Loop(span.node, span.kind, span.line, span.end))
    return left[0] if left else None


def _recurrence(reason: Any, span: _Span, line: int, cured: Any) -> Reason:
    picked = syntax.compared(span.node)
    cure = "nan" if cured("nan") else ""
    if picked:
        found: Reason = reason("nan", picked[0], cure=cure)
    elif span.kind == "while":
        found = reason("count", span.line)
    else:
        names = dict(syntax.carried(span.node))
        at = line if line in names else next(iter(names), line)
        found = reason("recurrence", at, names.get(at, ""), cure)
    return found


def _called(case: Case, span: _Span, line: int) -> tuple[str, int, str]:
    plain = ("range", "len", "prange", "int", "float", "abs", "min", "max", "numba.prange")
    names = [(at, name) for at, name in syntax.calls(span.node) if name not in plain]
    here = [one for one in names if one[0] == line] or names
    if not here:
        powers = [
            one.lineno
            for one in ast.walk(span.node)
            if isinstance(one, ast.BinOp) and isinstance(one.op, ast.Pow)
        ]
        return ("call", powers[0], "**") if powers else ("call", line, "")
    at, name = here[0]
    if name.endswith(".append"):
        return "append", at, name.removesuffix(".append")
    if "random" in name:
        return "random", at, name
    if hasattr(_value(case, name), "py_func"):
        return "function", at, name
    return "call", at, name


def _value(case: Case, dotted: str) -> Any:
    first, *rest = dotted.split(".")
    value = case.function.__globals__.get(first)
    for part in rest:
        value = getattr(value, part, None)
    return value


def _allocation(case: Case, span: _Span, compiled: Compiled) -> int:
    for loop in _code(case, compiled, span, inner=False):
        for line, name in loop.calls(case.source.file):
            if name.startswith(_ALLOCATES) and span.line < line <= span.end:
                return line
    return 0


def _arrays(case: Case, span: _Span) -> Iterator[tuple[int, str, Any]]:
    types = case.types
    for node in syntax.subscripts(span.node):
        if isinstance(node.value, ast.Name) and node.value.id in types:
            yield node.lineno, node.value.id, types[node.value.id]
    if isinstance(span.node, ast.For) and isinstance(span.node.iter, ast.Name):
        name = span.node.iter.id
        if name in types:
            yield span.line, name, types[name]


def _spread(case: Case, span: _Span, layout: str) -> tuple[int, str] | None:
    found = [(line, name) for line, name, one in _arrays(case, span) if _layout(one) == layout]
    return found[0] if found else None


def _listed(case: Case, span: _Span) -> tuple[int, str] | None:
    found = [
        (line, name)
        for line, name, one in _arrays(case, span)
        if type(one).__name__ in ("List", "ListType")
    ]
    return found[0] if found else None


def _layout(one: Any) -> str:
    return str(getattr(one, "layout", ""))


def _in_name_only(
    case: Case, span: _Span, compiled: Compiled, cures: frozenset[str]
) -> Reason | None:
    """A vector of results that is worked out one by one, or with half the lanes."""
    code = _code(case, compiled, span)
    for loop in code:
        for line, called in loop.calls(case.source.file):
            name = called.removeprefix("llvm.").partition(".")[0]
            if name in _LIBM and not called.startswith("__svml"):
                return Reason("scalar", line or span.line, span.line, name)
        for one in loop.instructions:
            if _DIVIDES.search(one.text) and one.lines:
                own = next((line for file, line in one.lines if file == case.source.file), 0)
                named = "the % of floats" if " frem " in one.text else "integer division"
                return Reason("scalar", own or span.line, span.line, named)
    spread = _spread(case, span, "A")
    if spread and "layout" not in cures and case.compiled(cures | {"layout"}):
        return Reason("layout", spread[0], span.line, spread[1], cure="layout")
    down = downward(case.source, case.types)
    here = [one for one in down if span.line <= one[0] <= span.end]
    if here and "grain" not in cures and case.compiled(cures | {"grain"}):
        return Reason("grain", here[0][0], span.line, here[0][1], cure="grain")
    if "width" not in cures and (line := _widened(case, span, code)):
        after = case.compiled(cures | {"width"})
        cured = after is not None and not _widened(case, span, _code(case, after, span))
        return Reason("width", line, span.line, cure="width" if cured else "")
    return None


def _widened(case: Case, span: _Span, code: list[CodeLoop]) -> int:
    lines = {
        line
        for loop in code
        for one in loop.instructions
        if " fpext " in one.text and "double" in one.text
        for name, line in one.lines
        if name == case.source.file and span.line <= line <= span.end
    }
    return min(lines, default=0)


def allocations(case: Case) -> list[Reason]:
    """Lines that allocate memory in each turn of a loop."""
    found: dict[int, Reason] = {}
    for loop in read_loops(case.base.ir):
        for line, name in loop.calls(case.source.file):
            at = case.source.loop_at(line)
            if name.startswith(_ALLOCATES) and at and line > at.line:
                found.setdefault(line, Reason("allocation", line, at.line))
    return list(found.values())
