"""Arguments made up: arrays and numbers of given types, to call a function with."""

from __future__ import annotations

import ast
from importlib import import_module
from typing import Any

from guide.explain.numba.cures import Case
from guide.explain.numba.facts import said
from guide.explain.numba.harmless import NotTried


class Maker:
    """Arguments of given types: arrays of as many elements, indices that lie within them."""

    def __init__(self, case: Case, elements: int) -> None:
        self.case = case
        self.types = import_module("numba").types
        arrays = [one for one in case.signature if isinstance(one, self.types.Array)]
        self.most = max((one.ndim for one in arrays), default=1)
        self.side: int = max(2, round(elements ** (1 / max(self.most, 1))))
        self.seeds = range(len(case.signature))

    @property
    def size(self) -> str:
        """How large the arrays are, in words."""
        shape = " x ".join([f"{self.side:,}"] * max(self.most, 1))
        return f"arrays of {shape} made up here"

    def arguments(self, signature: tuple[Any, ...]) -> tuple[Any, ...]:
        """An argument of each type; the same ones each time.

        Raises:
            NotTried: when one cannot be made up.
        """
        names = self.case.source.parameters
        return tuple(
            self._make(name, one, seed)
            for name, one, seed in zip(names, signature, self.seeds, strict=True)
        )

    def _make(self, name: str, kind: Any, seed: int) -> Any:
        types = self.types
        if isinstance(kind, types.Array):
            return self._array(kind, seed)
        if isinstance(kind, types.List):
            return [float(x) for x in self._values(self.types.float64, (self.side,), seed)]
        if isinstance(kind, types.Boolean):
            return True
        if isinstance(kind, types.Integer):
            return self._dtype(kind).type(self._whole(name))
        if isinstance(kind, types.Float):
            return self._dtype(kind).type(1.5 + seed / 8)  # no two alike: hi - lo is not zero
        if isinstance(kind, types.Complex):
            return complex(1.5, 0.5)
        raise NotTried(f"there is no making up a {said(kind)}")

    def _array(self, kind: Any, seed: int) -> Any:
        np = import_module("numpy")
        shape = (self.side,) * kind.ndim
        values = self._values(kind.dtype, shape, seed)
        if kind.layout == "A":  # every second element of one twice as long
            return np.repeat(values, 2, axis=-1)[..., ::2]
        return np.asfortranarray(values) if kind.layout == "F" else values

    def _values(self, kind: Any, shape: tuple[int, ...], seed: int) -> Any:
        np = import_module("numpy")
        rng = np.random.default_rng(seed)
        try:
            dtype = np.dtype(str(kind))
        except (TypeError, ValueError):  # such as records
            raise NotTried(f"there is no making up an array of {said(kind)}") from None
        if dtype.kind == "b":
            return rng.random(shape) < 0.5
        if dtype.kind in "iu":
            most = min(self.side, np.iinfo(dtype).max)
            return rng.integers(1, most, shape).astype(dtype)
        if dtype.kind in "fc":
            return (rng.random(shape) + 0.5).astype(dtype)
        raise NotTried(f"there is no making up an array of {said(kind)}")

    def _dtype(self, kind: Any) -> Any:
        return import_module("numpy").dtype(str(kind))

    def _whole(self, name: str) -> int:
        """A number: as many as there are elements where it ends a range, else a small one."""
        for node in ast.walk(self.case.source.tree):
            if isinstance(node, ast.Call) and ast.unparse(node.func).endswith("range"):
                last = node.args[min(1, len(node.args) - 1)] if node.args else None
                if isinstance(last, ast.Name) and last.id == name:
                    return self.side
        return 3
