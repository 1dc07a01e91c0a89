"""Figures as people read them."""

from __future__ import annotations

import math


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
    for unit, power in (("TB", 1e12), ("GB", 1e9), ("MB", 1e6), ("kB", 1e3)):
        if abs(count) >= power:
            return f"{number(count / power)} {unit}"
    return f"{count:.0f} B"


def percent(part: float, whole: float) -> str:
    """A share: "61 %", "0.4 %"; "0 %" of nothing."""
    share = 100 * part / whole if whole else 0.0
    return f"{share:.0f} %" if share >= 10 or share == 0 else f"{share:.2g} %"


def quantity(value: float, unit: str) -> str:
    """A value with its unit; bytes and seconds in the prefix that suits them."""
    if unit == "B":
        return size(value)
    if unit == "s":
        return duration(value * 1e9)
    return f"{number(value)} {unit}".rstrip()
