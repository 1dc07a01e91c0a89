"""What a meter is, and what it says."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from guide.errors import GuideError


@dataclass(frozen=True, slots=True)
class Reading:
    """One figure, with where it comes from.

    A "total" only grows, counted from the meter's start; a "level" is what is there now. What is
    not known exactly comes with bounds: the truth lies from `low` to `high`, and `value` in
    between says no more than they do.
    """

    name: str  # "cpu", "memory", "energy.package"
    value: float
    unit: str  # "s", "B", "J"
    kind: Literal["total", "level"]
    source: str  # "getrusage", "rapl", "nvml", "model"
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used, as one meter saw it."""

    readings: tuple[Reading, ...]


class Meter(Protocol):
    """Something that reads a resource, cheaply enough for ten times a second.

    A meter that cannot read all it should leaves that out and says so: it may have a list
    `absent` with a line for each thing left out, which the sampler passes on.
    """

    def start(self) -> None:
        """Count from now."""
        ...

    def read(self) -> Usage:
        """What was used since `start`."""
        ...


class Unavailable(GuideError):
    """This machine does not have, or does not grant, what a meter reads."""


def summed(name: str, readings: Sequence[Reading], source: str) -> Reading:
    """Readings of one unit as one; its bounds are theirs, added up, where any has some."""
    low = high = None
    if any(r.low is not None for r in readings):
        low = sum(r.value if r.low is None else r.low for r in readings)
        high = sum(r.value if r.high is None else r.high for r in readings)
    value = sum(r.value for r in readings)
    return Reading(name, value, readings[0].unit, "total", source, low, high)
