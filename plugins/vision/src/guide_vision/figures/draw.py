"""What the figures of this track are drawn as."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guide.foundations.figures.stopwatch import rows, series
from guide.learn.chart import Bars, Lines


def energy(data: Mapping[str, Any]) -> Bars:
    """Watt-hours beside one another."""
    return Bars(rows(data), "Wh", str(data["what"]), log=True)


def ages(data: Mapping[str, Any]) -> Lines:
    """Over the seconds since the camera was switched on."""
    marks = [(float(s), f"{s} s") for s in (0, 5, 10, 15, 20)]
    label = "age of the oldest in half a second, ms"
    return Lines(series(data), "since it began", label, log="y", x_marks=marks)


def drift(data: Mapping[str, Any]) -> Lines:
    """Over the length of the film."""
    marks = [(1.0, "1 min"), (10.0, "10 min"), (60.0, "1 h"), (600.0, "10 h")]
    return Lines(series(data), "how long it has played", "ms apart", x_marks=marks)


def worth(data: Mapping[str, Any]) -> Lines:
    """Over how many frames there are to one that is looked at."""
    marks = [(float(n), str(n)) for n in (1, 2, 3, 4, 6, 8)]
    return Lines(series(data), "looks at every n-th frame", "HOTA", log="", x_marks=marks)
