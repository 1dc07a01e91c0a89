"""Whether a function does nothing but reckon, so that it may be called to be timed.

A name says nothing: `copy` may be anybody's, and so may `round`. So what counts is the object that
a call reaches, through the function's closure, its globals and the builtins: NumPy's and math's
functions by identity, a fixed list of builtins, and compiled functions that do no more themselves.
A method is known by the type that Numba found for what it belongs to.
"""

from __future__ import annotations

import ast
import builtins
import cmath
import math
from collections.abc import Callable, Iterable, Iterator
from functools import cache
from importlib import import_module
from types import ModuleType
from typing import Any

from guide.explain.numba.cures import Case
from guide.explain.numba.syntax import Source, source_of

_BUILTINS = (
    *("range", "len", "enumerate", "zip", "min", "max", "sum", "abs", "round", "divmod", "pow"),
    *("int", "float", "bool", "complex", "tuple", "list", "reversed", "sorted"),
)
_BEYOND = (
    *("save", "load", "from", "gen", "print", "show", "test", "info", "apply", "piecewise"),
    *("seed", "set_", "seterr", "setbuf", "get_"),
)
"""How names of NumPy's begin that reach files and settings, or call what they are given."""

_OF_ARRAYS = (
    *("sum", "prod", "mean", "std", "var", "min", "max", "argmin", "argmax", "any", "all"),
    *("copy", "astype", "ravel", "reshape", "flatten", "transpose", "fill", "sort", "argsort"),
    *("cumsum", "cumprod", "dot", "nonzero", "item", "take", "repeat", "conj", "conjugate"),
)
_OF_LISTS = ("append", "extend", "insert", "pop", "clear", "copy", "count", "index", "reverse")
_MORE = (
    *(ast.With, ast.AsyncWith, ast.Global, ast.Nonlocal, ast.Yield, ast.YieldFrom, ast.Await),
    *(ast.Import, ast.ImportFrom),
)


class NotTried(Exception):
    """Why a function is not called with arguments made up."""


class Failed(NotTried):
    """It was called, and raised: the arguments do not suit it, or it is wrong."""


class _Local:
    """What a name stands for that the function itself binds: not known before it runs."""


def must_be_harmless(case: Case) -> None:
    """Pass if a function does nothing but reckon and ends by itself.

    Raises:
        NotTried: when it calls what is not known to be harmless, recurses, or loops for as long
            as the data say.
    """
    _Examined(case.function, case.source, [case.base.result], ()).must_be_harmless()


def compiled_functions(case: Case) -> list[Any]:
    """The functions of Numba's that a function calls, and those that they call."""
    found: dict[int, Any] = {}

    def walk(function: Callable[..., Any], source: Source) -> None:
        examined = _Examined(function, source, [], ())
        for node in examined.calls():
            value = examined.reached(node.func)
            if not _is_dispatcher(value) or id(value) in found:
                continue
            found[id(value)] = value
            if own := source_of(value.py_func):
                walk(value.py_func, own)

    walk(case.function, case.source)
    return list(found.values())


class _Examined:
    """A function, its source, and what Numba made of it for each signature."""

    def __init__(
        self,
        function: Callable[..., Any],
        source: Source,
        results: Iterable[Any],
        callers: tuple[Any, ...],
    ) -> None:
        self.function, self.source, self.results = function, source, list(results)
        self.callers = (*callers, function)
        code = function.__code__
        # A free name's cell is empty until it is bound
        self.cells = {
            name: cell.cell_contents
            for name, cell in zip(code.co_freevars, function.__closure__ or (), strict=True)
            if _filled(cell)
        }
        stored = {
            one.id
            for one in ast.walk(source.tree)
            if isinstance(one, ast.Name) and not isinstance(one.ctx, ast.Load)
        }
        inner = {
            one.name
            for one in ast.walk(source.tree)
            if isinstance(one, ast.FunctionDef) and one is not source.tree
        }
        self.locals = {*stored, *inner, *code.co_varnames, *code.co_cellvars}

    def calls(self) -> Iterator[ast.Call]:
        for node in self.source.tree.body:
            yield from (one for one in ast.walk(node) if isinstance(one, ast.Call))

    def reached(self, node: ast.expr) -> Any:
        """The object that a name, or a name in a module, stands for."""
        if isinstance(node, ast.Name):
            if node.id in self.locals:
                return _Local
            if node.id in self.cells:
                return self.cells[node.id]
            around = self.function.__globals__
            return around.get(node.id, getattr(builtins, node.id, None))
        if isinstance(node, ast.Attribute):
            owner = self.reached(node.value)
            return getattr(owner, node.attr, None) if isinstance(owner, ModuleType) else None
        return None

    def must_be_harmless(self) -> None:
        for node in (one for part in self.source.tree.body for one in ast.walk(part)):
            if isinstance(node, ast.While):
                raise NotTried("its while loop might not end on arguments made up")
            if isinstance(node, _MORE):
                raise NotTried("it does more than reckon")
            if isinstance(node, ast.Raise) and isinstance(node.exc, ast.Name | ast.Attribute):
                self._may_be_called(node.exc)
        for call in self.calls():
            self._may_be_called(call.func)

    def _may_be_called(self, node: ast.expr) -> None:
        value = self.reached(node)
        if _is_dispatcher(value):
            self._enter(value)
        elif not (_is_harmless(value) or self._is_method(node)):
            raise NotTried(f"it calls {ast.unparse(node)}, which may do more than reckon")

    def _enter(self, dispatcher: Any) -> None:
        function = dispatcher.py_func
        if function in self.callers:
            raise NotTried("it calls itself")
        source = source_of(function)
        results = list(dispatcher.overloads.values())
        if source is None or any(one.objectmode for one in results):
            raise NotTried(f"it calls {function.__name__}, which may do more than reckon")
        _Examined(function, source, results, self.callers).must_be_harmless()

    def _is_method(self, node: ast.expr) -> bool:
        if not isinstance(node, ast.Attribute):
            return False
        if isinstance(node.value, ast.Name) and self._is_list(node.value.id):
            return node.attr in _OF_LISTS
        return node.attr in _OF_ARRAYS and self._reckons(node.value)

    def _reckons(self, node: ast.expr) -> bool:
        """Whether an expression is made of arrays and numbers, so that it is one."""
        if isinstance(node, ast.Name):
            kinds = self._types(node.id)
            return bool(kinds) and all(_is_numeric(one) for one in kinds)
        if isinstance(node, ast.Constant):
            return True
        if isinstance(node, ast.Subscript | ast.Attribute | ast.Starred):
            return self._reckons(node.value)
        if isinstance(node, ast.UnaryOp):
            return self._reckons(node.operand)
        if isinstance(node, ast.BinOp):
            return self._reckons(node.left) and self._reckons(node.right)
        if isinstance(node, ast.Compare):
            return all(map(self._reckons, (node.left, *node.comparators)))
        if isinstance(node, ast.Call):
            return _is_harmless(self.reached(node.func)) or self._is_method(node.func)
        return False

    def _is_list(self, name: str) -> bool:
        kinds = self._types(name)
        if kinds:
            return all(_is_list(one) for one in kinds)
        bound = [
            isinstance(node, ast.Assign) and isinstance(node.value, ast.List | ast.ListComp)
            for node in ast.walk(self.source.tree)
            for target in getattr(node, "targets", [getattr(node, "target", None)])
            if isinstance(target, ast.Name) and target.id == name
        ]
        stored = [
            one
            for one in ast.walk(self.source.tree)
            if isinstance(one, ast.Name) and one.id == name and not isinstance(one.ctx, ast.Load)
        ]
        # Numba makes an array of a list that only fills one, and has no type for it then
        return bool(bound) and all(bound) and len(bound) == len(stored)

    def _types(self, name: str) -> list[Any]:
        """The types that Numba found for a local name, which it may have split into several."""
        found = []
        for result in self.results:
            typemap = getattr(result.type_annotation, "typemap", None) or {}
            own = [kind for key, kind in typemap.items() if str(key).partition(".")[0] == name]
            if not own:
                return []
            found += own
        return found


def _filled(cell: Any) -> bool:
    try:
        _ = cell.cell_contents
    except ValueError:
        return False
    return True


def _is_dispatcher(value: Any) -> bool:
    return isinstance(value, import_module("numba.core.dispatcher").Dispatcher)


def _is_harmless(value: Any) -> bool:
    numba, numpy = import_module("numba"), import_module("numpy")
    if isinstance(value, type) and issubclass(value, numpy.generic):
        return value.__module__ == "numpy"
    if isinstance(value, numba.types.Number | numba.types.Boolean):
        return True  # numba.float32(x)
    return id(value) in _harmless()


@cache
def _harmless() -> dict[int, Any]:
    """Functions that do nothing but reckon, by identity."""
    numpy = import_module("numpy")
    found = [getattr(builtins, name) for name in _BUILTINS]
    found += [one for one in vars(builtins).values() if _is_exception(one)]
    found += [one for module in (math, cmath) for one in vars(module).values() if callable(one)]
    for module in (numpy, numpy.linalg, numpy.fft, numpy.random):
        found += [
            one
            for name, one in vars(module).items()
            if callable(one) and not isinstance(one, type) and not name.startswith((*_BEYOND, "_"))
        ]
    found += [numpy.ndenumerate, numpy.ndindex, import_module("numba").prange]
    return {id(one): one for one in found}


def _is_exception(value: Any) -> bool:
    return isinstance(value, type) and issubclass(value, Exception)


def _is_numeric(kind: Any) -> bool:
    types = import_module("numba").types
    if isinstance(kind, types.Array):
        kind = kind.dtype
    return isinstance(kind, types.Number | types.Boolean)


def _is_list(kind: Any) -> bool:
    types = import_module("numba").types
    return isinstance(kind, types.List | types.ListType) and _is_numeric(kind.dtype)
