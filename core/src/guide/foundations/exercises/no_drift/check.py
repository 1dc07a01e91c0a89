"""Checks every due time against exact fractions."""

from fractions import Fraction
from types import ModuleType


def check(attempt: ModuleType) -> None:
    """Compare short and long runs, at rates that are whole and that are not."""
    for rate in (60, 144, 59.94, 1000):
        hz = Fraction(str(rate))
        for count in (1, 10, 100_001):
            times = attempt.due_times(rate, count)
            assert isinstance(times, list), f"a list is wanted, not {type(times).__name__}"
            assert len(times) == count, f"at {rate} Hz: {count} ticks wanted, {len(times)} given"
            assert all(type(t) is int for t in times), "due times are whole nanoseconds: int"
            # t = k / rate seconds, multiplied out so that only integers are compared
            each, scale = 10**9 * hz.denominator, hz.numerator
            for k, t in enumerate(times):
                off = abs(t * scale - k * each)
                assert off <= scale, f"at {rate} Hz tick {k} is {off / scale:.1f} ns off"
