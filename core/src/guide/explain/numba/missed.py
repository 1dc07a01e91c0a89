"""Why a loop is not vectorised: from LLVM's words, the source, and what cures it.

LLVM's words name a symptom ("early exit loop"), the source the candidates (a `break`, a division
that may raise), and compiling without a candidate decides between them.
"""

from __future__ import annotations

import ast
from typing import Any

from guide.explain.numba import syntax
from guide.explain.numba.allocations import allocating_line
from guide.explain.numba.compiling import Compiled
from guide.explain.numba.cures import Case
from guide.explain.numba.operands import first_list, first_strided
from guide.explain.numba.reasons import Reason
from guide.explain.numba.remarks import Remark
from guide.explain.numba.spans import Span, remarks_of

_EXITS = (
    "early exit",
    "early exiting",
    "unsupported switch",
    "control flow is not understood",
    "uncountable",
    "more than one exit",
)
_UNKNOWN_COUNT = ("uncountable", "could not determine number of loop iterations")


def missed(
    case: Case, span: Span, said: tuple[Remark, ...], compiled: Compiled, cures: frozenset[str]
) -> Reason:
    """What stands first in the way of a loop that LLVM `said` these things of.

    Args:
        case: the function.
        span: its loop, not vectorised.
        said: LLVM's remarks on it.
        compiled: the function as it said them of it.
        cures: those that are in it already.
    """
    text = "; ".join(dict.fromkeys(one.text for one in said))

    def reason(key: str, line: int, detail: str = "", cure: str = "") -> Reason:
        return Reason(key, line or span.line, span.line, detail, text, cure)

    def cured(cure: str) -> bool:
        after = case.compiled(cures | {cure}) if cure not in cures else None
        return after is not None and _said(case, after, span) != _said(case, compiled, span)

    def line_of(*words: str) -> int:
        lines = [one.line for one in said if any(word in one.text for word in words)]
        return next((line for line in lines if span.line <= line <= span.end), span.line)

    if allocated := allocating_line(case, span, compiled):
        return reason("allocation", allocated)
    if (listed := first_list(case, span)) and cured("list"):
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
    if (spread := first_strided(case, span)) and cured("layout"):
        return reason("layout", spread[0], spread[1], "layout")
    if any(word in text.lower() for word in _UNKNOWN_COUNT) or span.kind == "while":
        return reason("count", span.line)
    if "not beneficial" in text:
        return reason("cost", line_of("not beneficial"))
    if found:
        return reason(looked_up, *found[0])
    return reason("other", said[0].line if said else span.line, text)


def _said(case: Case, compiled: Compiled, span: Span) -> tuple[Any, ...]:
    loops = remarks_of(case, compiled, span)
    return tuple(sorted({(one.lanes > 1, *(why.text for why in one.reasons)) for one in loops}))


def _left(span: Span, text: str) -> tuple[int, str] | None:
    symptoms = (*_EXITS, *_UNKNOWN_COUNT, "identified as reduction")
    if not any(word in text.lower() for word in symptoms):
        return None
    if not isinstance(span.node, ast.For | ast.While):
        return None
    left = syntax.exits(syntax.Loop(span.node, span.kind, span.line, span.end))
    return left[0] if left else None


def _recurrence(reason: Any, span: Span, line: int, cured: Any) -> Reason:
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


def _called(case: Case, span: Span, line: int) -> tuple[str, int, str]:
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
