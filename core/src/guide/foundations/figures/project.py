"""A figure for whoever chooses a deadline."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guide.foundations.figures.stopwatch import rows
from guide.learn.chart import Bars

_RATE_HZ = 60
_ONE_IN = (10, 100, 1_000, 10_000, 100_000)


def late_ticks(quick: bool = False) -> dict[str, Any]:
    """How long it is, on the whole, from one late tick to the next, at 60 ticks a second."""
    del quick  # nothing is measured
    found = [(f"1 in {count:,}", between_misses_ns(count, _RATE_HZ)) for count in _ONE_IN]
    return {
        "computed": True,
        "rows": found,
        "values": {"thousandth_ns": found[2][1], "period_ns": 1e9 / _RATE_HZ},
    }


def between_misses_ns(one_in: int, rate_hz: float) -> float:
    """The time between two late ticks when one in so many is late."""
    return one_in / rate_hz * 1e9


def draw_late_ticks(data: Mapping[str, Any]) -> Bars:
    """Longer is better."""
    return Bars(rows(data), "ns", "from one late tick to the next, longer is better", log=True)
