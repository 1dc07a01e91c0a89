"""Read an example's arguments without running a line of anybody's code.

A docstring may hold any line, and to look at a function is no reason to run it. So expressions are
walked, not executed: literals, NumPy's ways to make arrays, arithmetic on them. What is anything
else has no value.
"""

from __future__ import annotations

import ast
import operator
from collections.abc import Callable, Iterable, Mapping
from importlib import import_module
from typing import Any

_MAKERS = (
    *("zeros", "ones", "empty", "full", "arange", "linspace", "array", "asarray", "eye"),
    *("zeros_like", "ones_like", "empty_like", "full_like", "ascontiguousarray", "asfortranarray"),
)
_DRAWN = (
    *("rand", "randn", "random", "random_sample", "randint", "standard_normal"),
    *("normal", "uniform", "default_rng"),
)
_OF_ARRAYS = ("astype", "copy", "reshape", "ravel")
_OF_GENERATORS = ("random", "normal", "standard_normal", "uniform", "integers")
_CASTS = {"int": int, "float": float, "bool": bool, "complex": complex}
_NUMBERS = (bool, int, float, complex)
_BINARY: dict[type[ast.operator], Callable[[Any, Any], Any]] = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
    ast.FloorDiv: operator.floordiv,
    ast.Mod: operator.mod,
    ast.Pow: operator.pow,
}
_UNARY: dict[type[ast.unaryop], Callable[[Any], Any]] = {
    ast.UAdd: operator.pos,
    ast.USub: operator.neg,
    ast.Not: operator.not_,
}
_MOST = 2**64  # of a whole number: 10 ** 10 ** 10 takes longer than anybody waits


class NotPlain(Exception):
    """An expression whose value cannot be had without running somebody's code."""


class Plain:
    """The values of plain expressions, and the names that plain lines gave them."""

    def __init__(self, around: Mapping[str, Any]) -> None:
        self.numpy: Any = import_module("numpy")
        self._around = around
        self._names: dict[str, Any] = {}
        self._lost: set[str] = set()

    def line(self, node: ast.stmt) -> None:
        """Take note of `name = expression` and `import numpy as np`; run nothing.

        What any other line gives a name to has no value from then on.
        """
        if isinstance(node, ast.Import) and all(one.name == "numpy" for one in node.names):
            for one in node.names:
                self._keep(one.asname or "numpy", self.numpy)
            return
        if isinstance(node, ast.Assign) and isinstance(name := node.targets[0], ast.Name):
            try:
                value = self.value(node.value)
            except NotPlain:
                pass
            else:
                if len(node.targets) == 1:
                    self._keep(name.id, value)
                    return
        for part in ast.walk(node):
            if isinstance(part, ast.alias):
                self._lost.add((part.asname or part.name).partition(".")[0])
            elif isinstance(part, ast.FunctionDef | ast.ClassDef):
                self._lost.add(part.name)
            elif isinstance(part, ast.Name) and not isinstance(part.ctx, ast.Load):
                self._lost.add(part.id)

    def value(self, node: ast.expr) -> Any:
        """What a plain expression is worth.

        Raises:
            NotPlain: when it is none, or NumPy will not have it.
        """
        try:
            found = self._value(node)
        except NotPlain:
            raise
        except Exception as error:
            raise NotPlain(str(error)) from error
        if isinstance(found, int) and abs(found) > _MOST:
            raise NotPlain("too large a number")
        return found

    def returned(self, body: Iterable[ast.stmt]) -> Any:
        """What a function returns that has nothing but plain lines.

        Raises:
            NotPlain: when it has any other.
        """
        for node in body:
            if isinstance(node, ast.Return) and node.value:
                return self.value(node.value)
            if isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant):
                continue  # its docstring
            if not isinstance(node, ast.Assign | ast.Import):
                break
            self.line(node)
        raise NotPlain("it does more than return plain values")

    def _keep(self, name: str, value: Any) -> None:
        self._names[name] = value
        self._lost.discard(name)

    def _value(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Constant):
            return node.value
        if isinstance(node, ast.Tuple | ast.List):
            return (tuple if isinstance(node, ast.Tuple) else list)(map(self.value, node.elts))
        if isinstance(node, ast.Dict) and None not in node.keys:
            keys = [self.value(one) for one in node.keys if one]
            return dict(zip(keys, map(self.value, node.values), strict=True))
        if isinstance(node, ast.UnaryOp) and type(node.op) in _UNARY:
            return _UNARY[type(node.op)](self._number(node.operand))
        if isinstance(node, ast.BinOp) and type(node.op) in _BINARY:
            left, right = self._number(node.left), self._number(node.right)
            if isinstance(node.op, ast.Pow) and isinstance(right, int) and abs(right) > 64:
                raise NotPlain("too large a power")
            return _BINARY[type(node.op)](left, right)
        if isinstance(node, ast.Subscript):
            return self._number(node.value)[self._index(node.slice)]
        if isinstance(node, ast.Name):
            return self._named(node.id)
        if isinstance(node, ast.Attribute):
            return self._attribute(node)
        if isinstance(node, ast.Call):
            return self._called(node)
        raise NotPlain(ast.unparse(node))

    def _number(self, node: ast.expr) -> Any:
        value = self.value(node)
        if type(value) in _NUMBERS or self._of_numpy(value):
            return value
        raise NotPlain(ast.unparse(node))

    def _of_numpy(self, value: Any) -> bool:
        if type(value) is self.numpy.ndarray:
            return bool(value.dtype.kind in "biufc")  # objects may have operators of their own
        return isinstance(value, self.numpy.generic) and type(value).__module__ == "numpy"

    def _index(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Slice):
            ends = (node.lower, node.upper, node.step)
            return slice(*(self.value(end) if end else None for end in ends))
        if isinstance(node, ast.Tuple):
            return tuple(map(self._index, node.elts))
        return self.value(node)

    def _named(self, name: str) -> Any:
        if name in self._lost:
            raise NotPlain(name)
        if name in self._names:
            return self._names[name]
        value = self._around.get(name)
        if value is self.numpy or type(value) in _NUMBERS or self._of_numpy(value):
            return value
        if name not in self._around and name in ("np", "numpy"):
            return self.numpy
        if name not in self._around and name in _CASTS:
            return _CASTS[name]
        if _scalar_type(value, self.numpy):
            return value
        raise NotPlain(name)

    def _attribute(self, node: ast.Attribute) -> Any:
        owner = self.value(node.value)
        if owner is self.numpy:
            value = getattr(owner, node.attr)
            if type(value) is float or _scalar_type(value, self.numpy):
                return value
        elif self._of_numpy(owner) and node.attr == "T":
            return owner.T
        raise NotPlain(ast.unparse(node))

    def _called(self, node: ast.Call) -> Any:
        call = self._callable(node.func)
        if any(one.arg is None for one in node.keywords):
            raise NotPlain(ast.unparse(node))
        given = [self.value(one) for one in node.args]
        return call(*given, **{str(one.arg): self.value(one.value) for one in node.keywords})

    def _callable(self, node: ast.expr) -> Any:
        if isinstance(node, ast.Attribute):
            if self._is_random(node.value) and node.attr in _DRAWN:
                return getattr(self.numpy.random, node.attr)
            owner = self.value(node.value)
            if owner is self.numpy and node.attr in _MAKERS:
                return getattr(owner, node.attr)
            methods: tuple[str, ...] = ()
            if self._of_numpy(owner):
                methods = _OF_ARRAYS
            elif type(owner) is self.numpy.random.Generator:
                methods = _OF_GENERATORS
            if node.attr in methods:
                return getattr(owner, node.attr)
        value = self.value(node)
        if value in _CASTS.values() or _scalar_type(value, self.numpy):
            return value
        raise NotPlain(ast.unparse(node))

    def _is_random(self, node: ast.expr) -> bool:
        if not (isinstance(node, ast.Attribute) and node.attr == "random"):
            return False
        return self.value(node.value) is self.numpy


def _scalar_type(value: Any, numpy: Any) -> bool:
    return isinstance(value, type) and issubclass(value, numpy.generic) and _own(value)


def _own(kind: type) -> bool:
    return kind.__module__ == "numpy"
