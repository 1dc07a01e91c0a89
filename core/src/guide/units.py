"""Figures as people read them."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from fractions import Fraction

_PREFIXES = (("T", 1e12), ("G", 1e9), ("M", 1e6), ("k", 1e3), ("", 1.0), ("m", 1e-3), ("µ", 1e-6))
_SCALED = {"s": 4, "B": 0, "J": 0, "W": 0, "B/s": 0, "FLOP/s": 0}  # unit: its first prefix


def duration(ns: float) -> str:
    """A time in the unit that suits it: "830 ns", "12 µs", "4.1 ms", "2.3 s".

    >>> duration(4_130_000)
    '4.13 ms'
    """
    if not math.isfinite(ns):
        return f"{ns} s"
    for unit, size in (("s", 1e9), ("ms", 1e6), ("µs", 1e3)):
        if abs(ns) >= size:
            return f"{number(ns / size)} {unit}"
    return f"{ns:.0f} ns"


def number(value: float) -> str:
    """Three figures, no exponent where it can be helped: "12.3", "0.0041", "1,250".

    >>> number(1250.4), number(0.00412)
    ('1,250', '0.00412')
    """
    if not math.isfinite(value):
        return str(value)  # a loss that has become nan is what a person needs to see
    size = abs(value)
    if value == int(value) and size < 1e15:
        return f"{int(value):,}"
    if size >= 100:
        return f"{value:,.0f}"
    if size >= 10:
        return f"{value:.1f}"
    if size >= 1:
        return f"{value:.2f}"
    return f"{value:.3g}"


def size(count: float) -> str:
    """Bytes in decimal units, as disks and memory vendors count: "212 MB".

    >>> size(212_300_000)
    '212 MB'
    """
    return quantity(count, "B") if abs(count) >= 1000 else f"{count:.0f} B"


def percent(part: float, whole: float) -> str:
    """A share: "61 %", "0.4 %"; "0 %" of nothing."""
    share = 100 * part / whole if whole else 0.0
    return f"{share:.0f} %" if share >= 10 or share == 0 else f"{share:.2g} %"


def quantity(value: float, unit: str) -> str:
    """A value with its unit; bytes, seconds, joules and rates in the prefix that suits them."""
    if unit == "s":
        return duration(value * 1e9)
    prefix, scale = _prefix(value, unit)
    return f"{number(value / scale)} {prefix}{unit}".rstrip()


def interval(low: float, high: float, unit: str) -> str:
    """A figure of which only bounds are known, both in the unit that suits the upper one.

    >>> interval(0.0004, 0.0016, "J")
    '0.4 to 1.60 mJ'
    """
    prefix, scale = _prefix(high, unit)
    return f"{number(low / scale)} to {number(high / scale)} {prefix}{unit}".rstrip()


def _prefix(value: float, unit: str) -> tuple[str, float]:
    if unit not in _SCALED or not math.isfinite(value) or not value:
        return "", 1.0
    smallest = 1.0 if unit.startswith(("B", "F")) else 1e-6
    fitting = (p for p in _PREFIXES[_SCALED[unit] :] if abs(value) >= p[1] or p[1] == smallest)
    return next(fitting)


def exact(value: float) -> Fraction:
    """The decimal that a person typed, not its binary neighbour: 59.94 is 2997/50."""
    from fractions import Fraction  # here, because importing it takes longer than all of the loop

    return Fraction(str(value))
