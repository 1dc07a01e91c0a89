"""Find a construct in a function's syntax tree: a call of `.item()`, a mask as an index, a print.

A trace names the line of a function's `def`, never that of the call; these are the lines inside of
it that could have been it.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator, Sequence

Function = ast.FunctionDef | ast.AsyncFunctionDef

_MASK = "[mask]"
_MASKLIKE = ("mask", "keep", "valid", "select")
_COMPREHENSIONS = (ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
_LOOPS = (ast.For, ast.AsyncFor, *_COMPREHENSIONS)


def scope_at(tree: ast.Module, name: str, line: int) -> ast.AST | None:
    """The function, lambda, comprehension or module that Python calls `name` and `line`.

    A function that moved since is found by its name, the nearest one; None: there is none.
    """
    if name == "<module>":
        return tree
    kinds: tuple[type[ast.AST], ...] = (ast.FunctionDef, ast.AsyncFunctionDef)
    if name == "<lambda>":
        kinds = (ast.Lambda,)
    elif name.startswith("<"):
        kinds = _COMPREHENSIONS
    found = [
        node
        for node in ast.walk(tree)
        if isinstance(node, kinds) and (name.startswith("<") or getattr(node, "name", "") == name)
    ]
    if not found:
        return None
    best = min(found, key=lambda node: _distance(node, line))
    # A lambda has no name to know it by: elsewhere it is another one
    return None if name.startswith("<") and _distance(best, line)[0] > 1 else best


def first_line(node: ast.AST) -> int:
    """The line that a trace would give for a function: its first decorator's, or its own."""
    decorators = getattr(node, "decorator_list", ())
    return min([int(getattr(node, "lineno", 1)), *(int(each.lineno) for each in decorators)])


def _distance(node: ast.AST, line: int) -> tuple[int, int]:
    """How far a function is from a line: it begins there, it holds it, it lies elsewhere."""
    start = first_line(node)
    # Of a function that ran already when the trace began, the line is where it was then
    holds = start <= line <= (getattr(node, "end_lineno", None) or start)
    return (0 if start == line else 1 if holds else 2), abs(start - line)


def lines_of(scope: ast.AST, constructs: Sequence[str]) -> list[int]:
    """Lines on which a scope does one of `constructs`, the first construct's first.

    Functions and classes defined inside of it are left out: they have frames of their own.
    """
    masks = _mask_names(scope)
    found: dict[int, None] = {}
    for construct in constructs:
        lines = {_line(node) for node in inside(scope) if _is(node, construct, masks)}
        found |= dict.fromkeys(sorted(lines))
    return list(found)


def inside(scope: ast.AST) -> Iterator[ast.AST]:
    """Every node that runs in a scope's own frame."""
    waiting = (
        list(getattr(scope, "body", [scope])) if not isinstance(scope, ast.Lambda) else [scope]
    )
    if isinstance(scope, _COMPREHENSIONS):
        waiting = [scope]
    while waiting:
        node = waiting.pop()
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef | ast.ClassDef):
            continue
        yield node
        waiting.extend(ast.iter_child_nodes(node))


def dotted(node: ast.AST) -> str:
    """`torch.autograd.detect_anomaly` as text; what is called on a value begins with a dot."""
    parts: list[str] = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    parts.append(node.id if isinstance(node, ast.Name) else "")
    return ".".join(reversed(parts))


def _line(node: ast.AST) -> int:
    # Of a chain over several lines it is the attribute's own line that is meant
    if isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute):
        return node.func.end_lineno or node.func.lineno
    return int(getattr(node, "lineno", 0))


def _is(node: ast.AST, construct: str, masks: set[str]) -> bool:
    if construct == "for":
        return isinstance(node, _LOOPS)
    if construct == _MASK:
        return isinstance(node, ast.Subscript) and _is_mask(node.slice, masks)
    if not isinstance(node, ast.Call):
        return False
    if construct.startswith("."):
        return isinstance(node.func, ast.Attribute) and node.func.attr == construct[1:]
    called = dotted(node.func)
    return called == construct or called.endswith(f".{construct}")


def _is_mask(index: ast.AST, masks: set[str]) -> bool:
    if isinstance(index, ast.Tuple):
        return any(_is_mask(each, masks) for each in index.elts)
    if isinstance(index, ast.UnaryOp):
        return isinstance(index.op, ast.Invert) or _is_mask(index.operand, masks)
    if isinstance(index, ast.BinOp) and isinstance(index.op, ast.BitAnd | ast.BitOr | ast.BitXor):
        return _is_mask(index.left, masks) or _is_mask(index.right, masks)
    if isinstance(index, ast.Name | ast.Attribute):
        name = index.id if isinstance(index, ast.Name) else index.attr
        return name in masks or any(word in name.lower() for word in _MASKLIKE)
    return isinstance(index, ast.Compare)


def _mask_names(scope: ast.AST) -> set[str]:
    """Names that a scope gives to the result of a comparison."""
    return {
        target.id
        for node in inside(scope)
        if isinstance(node, ast.Assign) and _is_mask(node.value, set())
        for target in node.targets
        if isinstance(target, ast.Name)
    }
