"""Changes that may let a loop be vectorised, each tried by compiling with it.

A reason is a guess until it is taken away. So a cure is applied to options, types or source, the
function is compiled again, and if LLVM then says something else of that loop, that was it.
"""

from __future__ import annotations

import ast
from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib import import_module
from typing import Any

from guide.explain.numba.compiling import Compiled, compile_for
from guide.explain.numba.syntax import Source, subscripts

ORDER = {"reassoc", "contract", "nsz"}
"""What a sum needs: another order. The rest of fastmath=True promises more, such as no NaN."""

TYPED = {
    "order": 'fastmath={"reassoc", "contract", "nsz"}',
    "nan": "fastmath=True",
    "division": 'error_model="numpy"',
    "bounds": "boundscheck=False",
    "layout": "np.ascontiguousarray({detail}) before the call",
    "list": "np.array({detail}) before the call",
    "grain": "np.asfortranarray({detail}) before the call",
    "width": "np.float32(...) around the constants",
}
"""What a person types for each cure; `{detail}` is the array."""


@dataclass
class Case:
    """A function, its source, the types it is compiled for and the options it has."""

    function: Callable[..., Any]
    source: Source
    signature: tuple[Any, ...]
    options: dict[str, Any]
    _kept: dict[frozenset[str], Compiled | None] = field(default_factory=dict, init=False)

    def compiled(self, cures: Iterable[str] = ()) -> Compiled | None:
        """The function with these cures; None where it does not compile so."""
        key = frozenset(cures)
        if key not in self._kept:
            numba_error = import_module("numba.core.errors").NumbaError
            try:
                function = narrowed(self.function, self.source) if "width" in key else self.function
                options = with_cures(self.options, key)
                self._kept[key] = compile_for(
                    function, types_with(self.signature, key, self.walked), options
                )
            except (numba_error, SyntaxError):
                if not key:
                    raise
                self._kept[key] = None
        return self._kept[key]

    @property
    def walked(self) -> tuple[int, ...]:
        """Which parameters are arrays in C order that a loop walks down, axis by axis."""
        names = {name for _, name in downward(self.source, self.types)}
        return tuple(i for i, name in enumerate(self.source.parameters) if name in names)

    @property
    def base(self) -> Compiled:
        """The function as it is.

        Raises:
            numba.core.errors.NumbaError: when it does not compile.
        """
        compiled = self.compiled()
        assert compiled is not None
        return compiled

    @property
    def types(self) -> dict[str, Any]:
        """Numba's type of each parameter."""
        return dict(zip(self.source.parameters, self.signature, strict=False))


def with_cures(options: dict[str, Any], cures: Iterable[str]) -> dict[str, Any]:
    """The options of `njit` with these cures."""
    changed = dict(options)
    for cure in cures:
        if cure == "order" and changed.get("fastmath") is not True:
            given = changed.get("fastmath") or ()
            changed["fastmath"] = ORDER | set(given if not isinstance(given, str) else [given])
        elif cure == "division":
            changed["error_model"] = "numpy"
        elif cure == "bounds":
            changed["boundscheck"] = False
            changed.pop("debug", None)
    if "nan" in cures:
        changed["fastmath"] = True
    return changed


def types_with(
    signature: tuple[Any, ...], cures: Iterable[str], walked: tuple[int, ...] = ()
) -> tuple[Any, ...]:
    """The types with these cures: arrays in C order, arrays for lists.

    `walked` are those that are to be in Fortran's order for the cure "grain".
    """
    types = import_module("numba").types
    changed = []
    for i, one in enumerate(signature):
        if "grain" in cures and i in walked:
            one = one.copy(layout="F")
        elif "layout" in cures and isinstance(one, types.Array) and one.layout == "A":
            one = one.copy(layout="C")
        elif "list" in cures and isinstance(one, types.List | types.ListType):
            one = types.Array(one.dtype, 1, "C")
        changed.append(one)
    return tuple(changed)


class _Narrow(ast.NodeTransformer):
    def visit_Constant(self, node: ast.Constant) -> ast.AST:
        if not isinstance(node.value, float):
            return node
        name = ast.Name("_float32_of_guide", ast.Load())
        return ast.copy_location(ast.Call(name, [node], []), node)


def narrowed(function: Callable[..., Any], source: Source) -> Callable[..., Any]:
    """The function with each float constant as a float32."""
    tree = ast.parse("\n".join(source.lines))
    for found in ast.walk(tree):
        if isinstance(found, ast.FunctionDef) and found.lineno == source.tree.lineno:
            found.decorator_list = []
            found.body = [_Narrow().visit(one) for one in found.body]
            module = ast.fix_missing_locations(ast.Module([found], []))
            names = {**function.__globals__, "_float32_of_guide": import_module("numpy").float32}
            exec(compile(module, source.file, "exec"), names)
            made: Callable[..., Any] = names[function.__name__]
            return made
    raise SyntaxError("not found")


def downward(source: Source, types: dict[str, Any]) -> list[tuple[int, str]]:
    """Where an innermost loop walks down an array in C order: `a[i, 0]` in `for i`, line and name.

    An array that another innermost loop walks along is left out: turning it would not help.
    """
    down: list[tuple[int, str]] = []
    along: set[str] = set()
    for loop in source.loops:
        if not (isinstance(loop.node, ast.For) and loop.innermost):
            continue
        turn = loop.node.target.id if isinstance(loop.node.target, ast.Name) else ""
        for one in subscripts(loop.node):
            if not (isinstance(one.value, ast.Name) and isinstance(one.slice, ast.Tuple)):
                continue
            name, axes = one.value.id, one.slice.elts
            if getattr(types.get(name), "layout", "") != "C" or len(axes) != types[name].ndim:
                continue
            names = [{n.id for n in ast.walk(axis) if isinstance(n, ast.Name)} for axis in axes]
            if turn in names[-1]:
                along.add(name)
            elif any(turn in axis for axis in names) and any(names[1:]):  # not one column alone
                down.append((one.lineno, name))
    return [one for one in down if one[1] not in along]
