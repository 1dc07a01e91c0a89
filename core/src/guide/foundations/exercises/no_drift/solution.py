"""Each due time from its own index: an error cannot add up."""

from fractions import Fraction


def due_times(rate_hz: float, count: int) -> list[int]:
    """When each of `count` ticks is due, in ns from the first."""
    period = 10**9 / Fraction(str(rate_hz))  # 59.94 as it was typed, not its binary neighbour
    return [int(k * period) for k in range(count)]
