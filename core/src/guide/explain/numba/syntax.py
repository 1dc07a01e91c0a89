"""The source of a function, read as a tree: its loops, and what stands in them."""

from __future__ import annotations

import ast
import inspect
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import Any

_WORDS: dict[type[ast.AST], str] = {
    ast.Break: "break",
    ast.Return: "return",
    ast.Raise: "raise",
    ast.Assert: "assert",
}


@dataclass(frozen=True)
class Loop:
    """A loop of the source: `kind` is "for", "while" or "comprehension"."""

    node: ast.AST
    kind: str
    line: int
    end: int

    @property
    def innermost(self) -> bool:
        """Whether no other loop stands in it."""
        return not any(loop is not self.node for loop in _loops(self.node))


@dataclass(frozen=True)
class Source:
    """A function's source: its file, its tree with the file's line numbers, its lines."""

    file: str
    tree: ast.FunctionDef
    lines: list[str]

    @property
    def loops(self) -> list[Loop]:
        """All loops, outer ones first."""
        return [
            Loop(node, _kind(node), node.lineno, node.end_lineno or node.lineno)
            for node in _loops(self.tree)
        ]

    @property
    def parameters(self) -> list[str]:
        """The names of what it takes, as Numba counts them: `*args` is one, a tuple."""
        takes = self.tree.args
        rest = [takes.vararg] if takes.vararg else []
        return [one.arg for one in (*takes.posonlyargs, *takes.args, *rest, *takes.kwonlyargs)]

    @property
    def rest(self) -> str:
        """The name of its `*args`; "" where it has none."""
        return self.tree.args.vararg.arg if self.tree.args.vararg else ""

    def holds(self, line: int) -> bool:
        """Whether the line is one of the function's."""
        return self.tree.lineno <= line <= (self.tree.end_lineno or 0)

    def loop_at(self, line: int) -> Loop | None:
        """The innermost loop that the line stands in."""
        around = [loop for loop in self.loops if loop.line <= line <= loop.end]
        return max(around, key=lambda loop: (loop.line, -loop.end), default=None)

    def text(self, line: int) -> str:
        """The line as it stands in the file, without its indent."""
        return self.lines[line - 1].strip() if 0 < line <= len(self.lines) else ""


def _kind(node: ast.AST) -> str:
    for kind, word in ((ast.For, "for"), (ast.While, "while")):
        if isinstance(node, kind):
            return word
    return "comprehension"


def _loops(tree: ast.AST) -> Iterator[Any]:
    kinds = (ast.For, ast.While, ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp)
    return (node for node in ast.walk(tree) if isinstance(node, kinds))


def source_of(function: Callable[..., Any]) -> Source | None:
    """The source of a function; None where there is no file, or the file has changed."""
    code = function.__code__
    file = inspect.getsourcefile(function) or code.co_filename
    try:
        text = Path(file).read_text(encoding="utf-8")
        tree = ast.parse(text)
    except (OSError, SyntaxError, ValueError):
        return None
    for node in ast.walk(tree):
        if isinstance(node, ast.FunctionDef) and node.name == function.__name__:
            first = min([node.lineno, *(one.lineno for one in node.decorator_list)])
            if first <= code.co_firstlineno <= node.lineno:
                return Source(file, node, text.splitlines())
    return None


def exits(loop: Loop) -> list[tuple[int, str]]:
    """Where a loop may be left early: line and word. A `break` of an inner loop is not one."""
    found = []

    def walk(node: ast.AST, inner: bool) -> None:
        for child in ast.iter_child_nodes(node):
            if isinstance(child, tuple(_WORDS)) and not (inner and isinstance(child, ast.Break)):
                found.append((child.lineno, _WORDS[type(child)]))  # type: ignore[attr-defined]
            walk(child, inner or isinstance(child, ast.For | ast.While))

    walk(loop.node, inner=False)
    return sorted(found)


def divisions(tree: ast.AST) -> list[int]:
    """Lines that divide by something other than a number that is not zero."""
    kinds = (ast.Div, ast.FloorDiv, ast.Mod)
    found = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.BinOp) and isinstance(node.op, kinds):
            by = node.right
        elif isinstance(node, ast.AugAssign) and isinstance(node.op, kinds):
            by = node.value
        else:
            continue
        if not (isinstance(by, ast.Constant) and by.value):
            found.add(node.lineno)
    return sorted(found)


def calls(tree: ast.AST) -> list[tuple[int, str]]:
    """What is called: line and dotted name."""
    found = [
        (node.lineno, ast.unparse(node.func))
        for node in ast.walk(tree)
        if isinstance(node, ast.Call)
    ]
    return sorted(found)


def subscripts(tree: ast.AST) -> Iterator[ast.Subscript]:
    """Each `a[...]` in it."""
    return (node for node in ast.walk(tree) if isinstance(node, ast.Subscript))


def indirect(tree: ast.AST) -> list[tuple[int, str]]:
    """Lines that look up an index in another array, `a[b[i]]`, also by way of a name."""
    looked_up = set()
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and _subscripts_in(node.value):
            looked_up |= {one.id for one in node.targets if isinstance(one, ast.Name)}
    found = []
    for node in subscripts(tree):
        names = {one.id for one in ast.walk(node.slice) if isinstance(one, ast.Name)}
        if _subscripts_in(node.slice) or names & looked_up:
            found.append((node.lineno, ast.unparse(node)))
    return sorted(found)


def only_moves(tree: ast.AST) -> bool:
    """Whether a loop does nothing but carry elements from one place to another."""
    if not isinstance(tree, ast.For):
        return False
    carries = (ast.Subscript, ast.Name, ast.Attribute, ast.Constant)
    inside = [one for part in tree.body for one in ast.walk(part) if isinstance(one, ast.stmt)]
    return all(
        isinstance(one, ast.For) or (isinstance(one, ast.Assign) and isinstance(one.value, carries))
        for one in inside
    )


def _subscripts_in(tree: ast.AST) -> bool:
    return any(True for _ in subscripts(tree))


def carried(tree: ast.AST) -> list[tuple[int, str]]:
    """Names that a loop's turn makes from what they were: `x = x * 0.5 + a[i]`, `s += a[i]`."""
    found = []
    for node in ast.walk(tree):
        if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Name):
            found.append((node.lineno, node.target.id))
        elif isinstance(node, ast.Assign):
            used = {one.id for one in ast.walk(node.value) if isinstance(one, ast.Name)}
            named = {one.id for one in node.targets if isinstance(one, ast.Name)}
            found += [(node.lineno, name) for name in sorted(used & named)]
    return sorted(found)


def compared(tree: ast.AST) -> list[int]:
    """Lines that pick the larger or the smaller: `max(m, x)`, or `if x > m: m = x`."""
    found = {line for line, name in calls(tree) if name in ("max", "min", "np.maximum")}
    for node in ast.walk(tree):
        if isinstance(node, ast.If) and isinstance(node.test, ast.Compare):
            inside = {one.id for one in ast.walk(node.test) if isinstance(one, ast.Name)}
            for one in node.body:
                if isinstance(one, ast.Assign):
                    named = {name.id for name in one.targets if isinstance(name, ast.Name)}
                    if named & inside:
                        found.add(one.lineno)
    return sorted(found)
