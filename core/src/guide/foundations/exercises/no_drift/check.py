"""Checks `due_times` against exact fractions."""

from fractions import Fraction
from types import ModuleType


def check(attempt: ModuleType) -> None:
    """Compare the first ticks, a late one, and rates that are not whole."""
    for rate in (60, 144, 59.94, 1000):
        for count in (1, 10, 100_001):
            times = attempt.due_times(rate, count)
            assert isinstance(times, list), f"a list is wanted, not {type(times).__name__}"
            assert len(times) == count, f"at {rate} Hz: {count} ticks wanted, {len(times)} given"
            assert all(type(t) is int for t in times), "due times are whole nanoseconds: int"
            for k in sorted({0, 1 % count, count // 2, count - 1}):
                exact = k * 10**9 / Fraction(str(rate))
                off = abs(times[k] - exact)
                assert off <= 1, f"at {rate} Hz tick {k} is {float(off):.0f} ns off"
