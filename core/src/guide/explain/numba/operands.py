"""The arrays and lists that a loop goes through, with the types that Numba has for them."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from typing import Any

from guide.explain.numba import syntax
from guide.explain.numba.cures import Case
from guide.explain.numba.spans import Span


def first_strided(case: Case, span: Span) -> tuple[int, str] | None:
    """Line and name of the first array that may have any strides; None: there is none."""
    return next(
        (
            (line, name)
            for line, name, kind in _operands(case, span)
            if getattr(kind, "layout", "") == "A"
        ),
        None,
    )


def first_list(case: Case, span: Span) -> tuple[int, str] | None:
    """Line and name of the first list, a reflected or a typed one; None: there is none."""
    return next(
        (
            (line, name)
            for line, name, kind in _operands(case, span)
            if type(kind).__name__ in ("List", "ListType")
        ),
        None,
    )


def _operands(case: Case, span: Span) -> Iterator[tuple[int, str, Any]]:
    types = case.types
    for node in syntax.subscripts(span.node):
        if isinstance(node.value, ast.Name) and node.value.id in types:
            yield node.lineno, node.value.id, types[node.value.id]
    if isinstance(span.node, ast.For) and isinstance(span.node.iter, ast.Name):
        name = span.node.iter.id
        if name in types:
            yield span.line, name, types[name]
