"""Where what came differs from what was expected, in a sentence."""

from __future__ import annotations

import math
from typing import Any

import numpy as np


def difference(got: Any, want: Any, *, rtol: float = 0.0, atol: float = 0.0) -> str:
    """What is wrong with `got`; "" when nothing is.

    Numbers may differ by `atol + rtol * |want|`. A NaN equals a NaN and nothing else: a value that
    compares with nothing must not pass for every value.
    """
    if isinstance(want, np.ndarray):
        return _arrays(got, want, rtol, atol)
    if isinstance(want, float | np.floating) and isinstance(got, int | float | np.generic):
        return "" if _close(float(got), float(want), rtol, atol) else _unequal("", got, want)
    if isinstance(want, list | tuple):
        if not isinstance(got, list | tuple):
            return f"a {type(want).__name__} is wanted, not {_kind(got)}"
        if len(got) != len(want):
            return f"{len(want):,} items are wanted, {len(got):,} came"
        for i, (a, b) in enumerate(zip(got, want, strict=True)):
            if said := difference(a, b, rtol=rtol, atol=atol):
                return f"item {i}: {said}"
        return ""
    if isinstance(want, dict):
        if not isinstance(got, dict) or got.keys() != want.keys():
            return _unequal("", got, want)
        for key in want:
            if said := difference(got[key], want[key], rtol=rtol, atol=atol):
                return f"{key!r}: {said}"
        return ""
    if isinstance(got, np.ndarray):
        return f"{_kind(want)} is wanted, not an array"
    return "" if bool(got == want) else _unequal("", got, want)


def shown(value: Any, most: int = 160) -> str:
    """A value as a person can take it in."""
    if isinstance(value, np.ndarray):
        if value.size <= 24:
            text = np.array2string(value, separator=", ", precision=6).replace("\n", "")
        else:
            text = f"{' x '.join(map(str, value.shape))} of {value.dtype}"
    elif isinstance(value, tuple):
        text = ", ".join(shown(one, most) for one in value)
    elif isinstance(value, np.generic):
        text = repr(value.item())
    else:
        text = repr(value)
    return text if len(text) <= most else f"{text[: most - 1]}…"


def _arrays(got: Any, want: np.ndarray, rtol: float, atol: float) -> str:
    if not isinstance(got, np.ndarray):
        return f"an array is wanted, not {_kind(got)}"
    if got.shape != want.shape:
        return f"the shape is {got.shape}, {want.shape} is wanted"
    if want.dtype.names:
        if got.dtype.names != want.dtype.names:
            return f"the fields are {got.dtype.names}, {want.dtype.names} are wanted"
        for name in want.dtype.names:
            if said := _arrays(got[name], want[name], rtol, atol):
                return f"field {name}: {said}"
        return ""
    if got.dtype.kind not in "biuf" or (got.dtype.kind == "f") != (want.dtype.kind == "f"):
        return f"the type is {got.dtype}, {want.dtype} is wanted"
    if rtol or atol:
        wrong = ~np.isclose(got, want, rtol=rtol, atol=atol, equal_nan=True)
    elif want.dtype.kind == "f":
        wrong = ~((got == want) | (np.isnan(got) & np.isnan(want)))
    else:
        wrong = got != want
    count = int(np.count_nonzero(wrong))
    if not count:
        return ""
    at = np.unravel_index(int(wrong.argmax()), wrong.shape) if want.ndim else ()
    place = f"at [{', '.join(map(str, at))}]" if at else ""
    more = f" ({count:,} of {want.size:,} differ)" if want.size > 1 else ""
    return _unequal(place, got[at], want[at]) + more


def _close(got: float, want: float, rtol: float, atol: float) -> bool:
    if math.isnan(want) or math.isnan(got):
        return math.isnan(want) and math.isnan(got)
    return got == want or abs(got - want) <= atol + rtol * abs(want)


def _unequal(place: str, got: Any, want: Any) -> str:
    return f"{place} expected {shown(want)}, got {shown(got)}".strip()


def _kind(value: Any) -> str:
    return "None" if value is None else f"{type(value).__name__}"
