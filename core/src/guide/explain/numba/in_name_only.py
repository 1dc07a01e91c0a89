"""What a loop that is vectorised lacks: lanes worked out one by one, far apart, or half of them."""

from __future__ import annotations

import re

from guide.explain.numba.code import CodeLoop
from guide.explain.numba.compiling import Compiled
from guide.explain.numba.cures import Case, downward
from guide.explain.numba.operands import first_strided
from guide.explain.numba.reasons import Reason
from guide.explain.numba.spans import Span, code_of

_LIBM = (
    *("sin", "cos", "tan", "asin", "acos", "atan", "atan2", "sinh", "cosh", "tanh"),
    *("exp", "exp2", "exp10", "expm1", "log", "log2", "log10", "log1p", "pow", "cbrt"),
)
_DIVIDES = re.compile(r" (?:frem(?: \w+)*|[su]div(?: exact)?|[su]rem) <\d+ x")


def in_name_only(
    case: Case, span: Span, compiled: Compiled, cures: frozenset[str]
) -> Reason | None:
    """A vector of results that is worked out one by one, or with half the lanes."""
    code = code_of(case, compiled, span)
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
    spread = first_strided(case, span)
    if spread and "layout" not in cures and case.compiled(cures | {"layout"}):
        return Reason("layout", spread[0], span.line, spread[1], cure="layout")
    down = downward(case.source, case.types)
    here = [one for one in down if span.line <= one[0] <= span.end]
    if here and "grain" not in cures and case.compiled(cures | {"grain"}):
        return Reason("grain", here[0][0], span.line, here[0][1], cure="grain")
    if "width" not in cures and (line := _widened(case, span, code)):
        after = case.compiled(cures | {"width"})
        cured = after is not None and not _widened(case, span, code_of(case, after, span))
        return Reason("width", line, span.line, cure="width" if cured else "")
    return None


def _widened(case: Case, span: Span, code: list[CodeLoop]) -> int:
    lines = {
        line
        for loop in code
        for one in loop.instructions
        if " fpext " in one.text and "double" in one.text
        for name, line in one.lines
        if name == case.source.file and span.line <= line <= span.end
    }
    return min(lines, default=0)
