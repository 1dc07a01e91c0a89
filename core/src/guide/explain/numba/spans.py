"""Which loop of the source LLVM speaks of, and what it made of it.

LLVM names a line. What stands around that line, a loop or an array expression, is what a person
wrote; LLVM may have made several loops of it, or none.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

from guide.explain.numba.code import CodeLoop, read_loops
from guide.explain.numba.compiling import Compiled
from guide.explain.numba.cures import Case
from guide.explain.numba.remarks import LoopRemarks


@dataclass(frozen=True)
class Span:
    """A loop of the source, or one line that stands for a loop (an array expression)."""

    line: int
    end: int
    node: ast.AST
    kind: str


def spans_of(case: Case, compiled: Compiled) -> Iterator[Span]:
    """The loops of the source that LLVM looked at, each once, in LLVM's order.

    Array expressions in a loop are loops of their own; where some of them are vectorised and
    others are not, each stands for itself.
    """
    whole: dict[int, tuple[Span, list[LoopRemarks]]] = {}
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


def remarks_of(case: Case, compiled: Compiled, span: Span) -> list[LoopRemarks]:
    """What LLVM said of the loops that a loop of the source became."""
    if span.kind == "expression":
        own = [loop for loop in compiled.loops if loop.file == case.source.file]
        return [loop for loop in own if loop.line == span.line]
    return [loop for loop in compiled.loops if _span(case, loop) == span]


def lanes_of(case: Case, compiled: Compiled, span: Span) -> int:
    """How many elements a turn handles side by side; 0: the loop is gone."""
    lanes = [0 if loop.gone else loop.lanes for loop in remarks_of(case, compiled, span)]
    return max(lanes, default=1)


def code_of(case: Case, compiled: Compiled, span: Span, *, inner: bool = True) -> list[CodeLoop]:
    """LLVM's code of a loop after all passes: of its innermost loops, or of all."""
    within = set(range(span.line, span.end + 1))
    file = case.source.file
    return [
        one
        for one in read_loops(compiled.ir)
        if (one.inner or not inner) and one.lines(file) & within
    ]


def _span(case: Case, loop: LoopRemarks) -> Span | None:
    source = case.source
    if loop.file != source.file or not source.holds(loop.line):
        return None
    at = source.loop_at(loop.line)
    return Span(at.line, at.end, at.node, at.kind) if at else _expression(case, loop.line)


def _expression(case: Case, line: int) -> Span | None:
    around = [
        one
        for node in case.source.tree.body
        for one in ast.walk(node)
        if isinstance(one, ast.stmt) and one.lineno <= line <= (one.end_lineno or 0)
    ]
    smallest = max(around, key=lambda one: one.lineno, default=None)
    return Span(line, line, smallest, "expression") if smallest else None


def _is_loop(case: Case, line: int) -> bool:
    return any(loop.line == line for loop in case.source.loops)
