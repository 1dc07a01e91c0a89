"""Lines that ask for memory in each turn of a loop."""

from __future__ import annotations

from guide.explain.numba.code import read_loops
from guide.explain.numba.compiling import Compiled
from guide.explain.numba.cures import Case
from guide.explain.numba.reasons import Reason
from guide.explain.numba.spans import Span, code_of

_ALLOCATES = ("NRT_Allocate", "NRT_MemInfo_alloc", "NRT_MemInfo_varsize_alloc")


def allocations(case: Case) -> list[Reason]:
    """Lines that allocate memory in each turn of a loop."""
    found: dict[int, Reason] = {}
    for loop in read_loops(case.base.ir):
        for line, name in loop.calls(case.source.file):
            at = case.source.loop_at(line)
            if name.startswith(_ALLOCATES) and at and line > at.line:
                found.setdefault(line, Reason("allocation", line, at.line))
    return list(found.values())


def allocating_line(case: Case, span: Span, compiled: Compiled) -> int:
    """The first line of a loop that allocates memory in each turn; 0: none does."""
    for loop in code_of(case, compiled, span, inner=False):
        for line, name in loop.calls(case.source.file):
            if name.startswith(_ALLOCATES) and span.line < line <= span.end:
                return line
    return 0
