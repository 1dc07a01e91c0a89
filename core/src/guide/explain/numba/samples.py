"""For which types to compile: those it has, those it is written for, an example's, or a guess."""

from __future__ import annotations

import ast
import doctest
import inspect
from collections.abc import Mapping
from dataclasses import dataclass
from importlib import import_module
from types import ModuleType
from typing import Any

from guide.errors import GuideError, UsageError
from guide.explain.numba.plain import NotPlain, Plain
from guide.explain.numba.syntax import Source, source_of

GUESSED = "guessed"
_LIKE = 'such as --like "float32[::1], int64"'


@dataclass(frozen=True, slots=True)
class Sample:
    """Types of the arguments, and where they are from.

    `others` are further ones that it has been compiled for; of a guess, further guesses.
    """

    types: tuple[Any, ...]
    source: str
    others: tuple[tuple[Any, ...], ...] = ()

    @property
    def guesses(self) -> tuple[tuple[Any, ...], ...]:
        """What to compile for until it does; one where nothing was guessed."""
        return (self.types, *self.others) if self.source == GUESSED else (self.types,)


def find(value: Any, module: ModuleType, source: Source, like: str) -> Sample:
    """The types to explain a function for.

    Raises:
        UsageError: when `like` is no list of types, or not as many as there are parameters.
    """
    function = getattr(value, "py_func", value)
    if like:
        return Sample(_fitting(_types(like), source), "--like")
    if signatures := list(getattr(value, "signatures", ())):
        last = signatures[-1]
        if len(last) == len(source.parameters):
            return Sample(tuple(last), "its signatures", tuple(map(tuple, signatures[:-1])))
    if types := _annotated(function, source):
        return Sample(types, "its annotations")
    for name, arguments in _examples(function, module):
        types = _typed(arguments)
        if len(types) == len(source.parameters):
            return Sample(types, name)
    first = _guess(function, source)
    return Sample(first, GUESSED, _others(first))


def _types(text: str) -> tuple[Any, ...]:
    numba = import_module("numba")
    names = {**vars(import_module("numba").types), "numba": numba, "types": numba.types}
    try:
        tree = ast.parse(f"({text},)" if text.strip() else "()", mode="eval")
        found = eval(compile(tree, "--like", "eval"), {"__builtins__": {}}, names)
    except Exception as error:
        raise UsageError(f"--like {text!r} is no list of types: {error}", _LIKE) from error
    if len(found) == 1 and hasattr(found[0], "args") and hasattr(found[0], "return_type"):
        found = found[0].args  # a signature: void(float64[::1])
    if len(found) == 1 and isinstance(found[0], tuple):
        found = found[0]
    if not all(isinstance(one, numba.types.Type) for one in found):
        raise UsageError(f"--like {text!r} is no list of types", _LIKE)
    return tuple(found)


def _fitting(types: tuple[Any, ...], source: Source) -> tuple[Any, ...]:
    types, wanted = _gathered(types, source), len(source.parameters)
    if len(types) != wanted:
        names = [f"*{name}" if name == source.rest else name for name in source.parameters]
        takes = ", ".join(names) or "nothing"
        raise UsageError(f"--like gives {len(types)} types; it takes {wanted}: {takes}", _LIKE)
    return types


def _gathered(types: tuple[Any, ...], source: Source) -> tuple[Any, ...]:
    """The types with those for `*args` as one, the tuple that Numba makes of them."""
    if not source.rest:
        return types
    numba_types = import_module("numba").types
    at = source.parameters.index(source.rest)
    after = len(source.parameters) - at - 1
    if len(types) < at + after:
        return types
    rest = types[at : len(types) - after]
    if len(rest) == 1 and isinstance(rest[0], numba_types.BaseTuple):
        rest = tuple(rest[0])
    return (*types[:at], numba_types.StarArgTuple(rest), *types[len(types) - after :])


def _annotated(function: Any, source: Source) -> tuple[Any, ...]:
    numba = import_module("numba")
    found = []
    for name in source.parameters:
        said = function.__annotations__.get(name)
        if isinstance(said, str):
            try:
                (said,) = _types(said)
            except (GuideError, ValueError):
                return ()
        if said in (int, float, bool):
            said = {int: numba.int64, float: numba.float64, bool: numba.boolean}[said]
        if not isinstance(said, _concrete()):  # Numba has an Any of its own
            return ()
        found.append(said)
    return tuple(found)


def _concrete() -> tuple[type, ...]:
    types = import_module("numba").types
    names = ("Number", "Boolean", "Array", "BaseTuple", "List", "ListType", "UnicodeType")
    return tuple(getattr(types, name) for name in names)


def _examples(function: Any, module: ModuleType) -> list[tuple[str, tuple[Any, ...]]]:
    """Data of the module, or what plain lines say; no function of anybody's is called."""
    found = []
    for name in ("__guide_example__", "EXAMPLES", "example"):
        given = getattr(module, name, None)
        if inspect.isfunction(given):
            given = _returned(given)
        if isinstance(given, dict):
            given = given.get(function.__name__)
        if isinstance(given, tuple):
            found.append((f"{name} of its module", _bound(function, given)))
        elif isinstance(given, list) and given and isinstance(given[0], tuple):
            found.append((f"{name} of its module", _bound(function, given[0])))
    called = _in_docstring(function)
    return [*found, ("the example in its docstring", called)] if called else found


def _returned(function: Any) -> Any:
    source = source_of(function)
    try:
        return Plain(function.__globals__).returned(source.tree.body) if source else None
    except NotPlain:
        return None


def _in_docstring(function: Any) -> tuple[Any, ...]:
    """The arguments of its first call in its docstring, where they are plain; () else."""
    plain = Plain(function.__globals__)
    try:
        examples = doctest.DocTestParser().get_examples(function.__doc__ or "")
        lines = [line for one in examples for line in ast.parse(one.source).body]
    except (SyntaxError, ValueError):
        return ()
    for line in lines:
        for node in ast.walk(line):
            if not isinstance(node, ast.Call) or ast.unparse(node.func) != function.__name__:
                continue
            try:
                named = {str(one.arg): plain.value(one.value) for one in node.keywords}
                return _bound(function, tuple(map(plain.value, node.args)), named)
            except NotPlain:
                return ()
        plain.line(line)
    return ()


def _bound(
    function: Any, arguments: tuple[Any, ...], named: Mapping[str, Any] | None = None
) -> tuple[Any, ...]:
    """A value for each parameter, with the defaults; () where they do not fit."""
    try:
        bound = inspect.signature(function).bind(*arguments, **(named or {}))
    except TypeError:
        return ()
    bound.apply_defaults()
    return tuple(bound.arguments.values())


def _typed(arguments: tuple[Any, ...]) -> tuple[Any, ...]:
    typeof = import_module("numba").typeof
    try:
        return tuple(typeof(one) for one in arguments)
    except ValueError:
        return ()


def _guess(function: Any, source: Source) -> tuple[Any, ...]:
    """float64 arrays in C order where there are subscripts, int64 for indices and counts."""
    numba = import_module("numba")
    dimensions = _dimensions(source.tree)
    counts = _counts(source.tree)
    defaults = inspect.signature(function).parameters
    found = []
    for name in source.parameters:
        default = defaults[name].default
        kind = numba.int64 if name in counts else numba.float64
        if name == source.rest:
            found.append(numba.types.StarArgTuple((_of_rest(source, dimensions),) * 3))
        elif name in dimensions:
            found.append(numba.types.Array(kind, dimensions[name], "C"))
        elif default is not inspect.Parameter.empty and _typed((default,)):
            found.append(_typed((default,))[0])
        else:
            found.append(kind)
    return tuple(found)


def _of_rest(source: Source, dimensions: dict[str, int]) -> Any:
    """What `*args` holds: arrays where `for x in args` and x has an index, floats else."""
    numba = import_module("numba")
    turns = [
        dimensions.get(node.target.id, 0)
        for node in ast.walk(source.tree)
        if isinstance(node, ast.For) and isinstance(node.target, ast.Name)
        if isinstance(node.iter, ast.Name) and node.iter.id == source.rest
    ]
    axes = max(turns, default=0)
    return numba.types.Array(numba.float64, axes, "C") if axes else numba.float64


def _others(first: tuple[Any, ...]) -> tuple[tuple[Any, ...], ...]:
    """Arrays for floats; one axis more. `(rows[i] ** 2).sum()` does not say what rows is."""
    types = import_module("numba").types
    arrays = tuple(
        types.Array(one, 1, "C") if isinstance(one, types.Float) else one for one in first
    )
    deeper = tuple(
        one.copy(ndim=one.ndim + 1) if isinstance(one, types.Array) else one for one in first
    )
    return tuple(one for one in (arrays, deeper) if one != first)


def _dimensions(tree: ast.AST) -> dict[str, int]:
    found: dict[str, int] = {}

    def at_least(node: ast.AST, count: int) -> None:
        if isinstance(node, ast.Name):
            found[node.id] = max(found.get(node.id, 0), count)

    for node in ast.walk(tree):
        if isinstance(node, ast.Subscript):
            at_least(node.value, len(node.slice.elts) if isinstance(node.slice, ast.Tuple) else 1)
            if isinstance(node.value, ast.Attribute) and node.value.attr == "shape":
                index = node.slice.value if isinstance(node.slice, ast.Constant) else 0
                at_least(
                    node.value.value, index + 1 if isinstance(index, int) and index >= 0 else 1
                )
        elif isinstance(node, ast.For):
            at_least(node.iter, 1)
        elif isinstance(node, ast.Attribute) and node.attr != "real":
            at_least(node.value, 1)
        elif isinstance(node, ast.Call) and ast.unparse(node.func) in (
            "len",
            "np.sum",
            "enumerate",
        ):
            for one in node.args:
                at_least(one, 1)
    for node in ast.walk(tree):
        if isinstance(node, ast.Assign) and isinstance(node.targets[0], ast.Tuple):
            shape = node.value
            if isinstance(shape, ast.Attribute) and shape.attr == "shape":
                at_least(shape.value, len(node.targets[0].elts))
    return found


def _counts(tree: ast.AST) -> set[str]:
    """Names that are used as an index, or to count turns; of arrays, those that hold indices."""
    found = set()
    for node in ast.walk(tree):
        places: list[ast.AST] = []
        if isinstance(node, ast.Subscript):
            places = [node.slice]
        elif isinstance(node, ast.Call) and ast.unparse(node.func).split(".")[-1] in (
            "range",
            "prange",
            *("zeros", "empty", "ones"),
        ):
            places = list(node.args)
        for place in places:
            found |= _names_as_numbers(place)
    return found


def _names_as_numbers(tree: ast.AST) -> set[str]:
    if isinstance(tree, ast.Name):
        return {tree.id}
    if isinstance(tree, ast.Call):
        return set()  # len(a) says nothing of a
    if isinstance(tree, ast.Attribute):
        return set()
    if isinstance(tree, ast.Subscript):
        return _names_as_numbers(tree.value)
    found = set()
    for child in ast.iter_child_nodes(tree):
        found |= _names_as_numbers(child)
    return found
