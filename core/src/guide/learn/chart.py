"""What a living figure is drawn as, said once for a terminal and for a page."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Series:
    """Points of a line, of which those of another machine have the same label."""

    label: str
    xs: Sequence[float]
    ys: Sequence[float]


@dataclass(frozen=True, slots=True)
class Lines:
    """Lines over a common axis.

    Attributes:
        series: at most four.
        x_label: what lies along the bottom, with its unit.
        y_label: what goes up, with its unit.
        log: which axes are logarithmic: "xy", "y", or "" for none.
        x_marks: values of x with the text that they are labelled by; by default round ones.
    """

    series: Sequence[Series]
    x_label: str
    y_label: str
    log: Literal["xy", "y", ""] = "xy"
    x_marks: Sequence[tuple[float, str]] = ()


@dataclass(frozen=True, slots=True)
class Bars:
    """Bars beside one another.

    Attributes:
        rows: what each is, and its value.
        unit: "ns" and its like as in the names of values; see `guide.learn.figures.said`.
        what: what is compared, for a reader: "time for one frame, shorter is better".
        log: whether their length is logarithmic, which is said beside them.
    """

    rows: Sequence[tuple[str, float]]
    unit: str
    what: str
    log: bool = False


Chart = Lines | Bars
