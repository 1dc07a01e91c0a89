"""Charts as text: lines in a grid of characters, bars of blocks."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from itertools import pairwise
from textwrap import wrap

from guide.learn.cells import pad, width
from guide.learn.chart import Bars, Chart, Lines, Series
from guide.learn.figures import said
from guide.units import number

_ROWS, _LABEL = 9, 8
_THEIRS = "author's"
_MARKS, _ASCII = "●○▲+", "ox*+"


def plot(chart: Chart, author: Chart | None, cells: int, unicode: bool = True) -> Iterator[str]:
    """The lines of `chart`, `cells` wide at most; `author` is the same from another machine."""
    if isinstance(chart, Bars):
        yield from _bars(chart, author if isinstance(author, Bars) else None, cells, unicode)
    elif not isinstance(author, Lines):
        yield from _lines(chart, (), cells, unicode)
    elif len(chart.series) == 1:
        yield from _lines(chart, author.series, cells, unicode)
    else:
        yield "on your machine"
        yield from _lines(chart, (), cells, unicode)
        yield ""
        yield "on the author's"
        yield from _lines(author, (), cells, unicode)


def _bars(chart: Bars, author: Bars | None, cells: int, unicode: bool) -> Iterator[str]:
    theirs = dict(author.rows) if author else {}
    amounts = [amount for _, amount in chart.rows if amount > 0]
    names = max(width(name) for name, _ in chart.rows)
    texts = [said(amount, chart.unit) for _, amount in chart.rows]
    others = [said(theirs[n], chart.unit) if n in theirs else "" for n, _ in chart.rows]
    columns = max(map(width, [*texts, "yours"])), max([*map(width, others), 0])
    columns = (columns[0], max(columns[1], width(_THEIRS))) if author else columns
    room = max(min(cells - names - columns[0] - columns[1] - 5, 40), 4)
    yield from wrap(chart.what + (" (bars are logarithmic)" if chart.log else ""), cells)
    if author:
        heads = f"{'yours':>{columns[0]}}  {_THEIRS:>{columns[1]}}"
        yield f"{'':{names + room + 2}} {heads}"
    for (name, amount), text, other in zip(chart.rows, texts, others, strict=True):
        share = _share(amount, min(amounts), max(amounts), chart.log) if amount > 0 else 0.0
        bar = _bar(share * room, unicode)
        after = f"  {' ' * (columns[1] - width(other))}{other}" if author else ""
        text = " " * (columns[0] - width(text)) + text
        yield f"{pad(name, names)}  {pad(bar, room)} {text}{after}".rstrip()


def _share(amount: float, low: float, high: float, log: bool) -> float:
    if not log:
        return amount / high
    # The shortest bar keeps a length, or it would look like nothing.
    return (math.log(amount / low) + 0.5) / (math.log(high / low) + 0.5)


def _bar(length: float, unicode: bool) -> str:
    if not unicode:
        return "#" * max(round(length), 1)
    eighths = max(round(8 * length), 1)
    return "█" * (eighths // 8) + " ▏▎▍▌▋▊▉"[eighths % 8].strip()


def _lines(chart: Lines, behind: Sequence[Series], cells: int, unicode: bool) -> Iterator[str]:
    columns = min(cells - _LABEL - 2, 64)
    every = [*behind, *chart.series]
    x_low, x_high = _ends([x for s in every for x in s.xs], "x" in chart.log, fit=True)
    y_low, y_high = _ends([y for s in every for y in s.ys], "y" in chart.log)
    grid = [[" "] * columns for _ in range(_ROWS)]
    marks = _MARKS if unicode else _ASCII
    drawn = [(s, "·" if unicode else ".") for s in behind]
    drawn += list(zip(chart.series, marks, strict=False))
    for series, mark in drawn:
        points = [
            (_scaled(x, "x" in chart.log), _scaled(y, "y" in chart.log)) for x, y in _points(series)
        ]
        for column in range(columns):
            x = x_low + (x_high - x_low) * column / (columns - 1)
            y = _at(points, x)
            if y is not None:
                row = round((y - y_low) / ((y_high - y_low) or 1) * (_ROWS - 1))
                grid[_ROWS - 1 - row][column] = mark
    yield chart.y_label
    for i, cells_of_row in enumerate(grid):
        label = ""
        if i in (0, _ROWS // 2, _ROWS - 1):
            y = y_high - (y_high - y_low) * i / (_ROWS - 1)
            label = _short(math.exp(y) if "y" in chart.log else y)
        yield f"{label:>{_LABEL}} {'│' if unicode else '|'}{''.join(cells_of_row)}".rstrip()
    yield f"{'':{_LABEL}} {('└' + '─' * columns) if unicode else '+' + '-' * columns}"
    yield _axis(chart, x_low, x_high, columns)
    yield f"{'':{_LABEL}}  {chart.x_label}"
    labelled = [(s.label, mark) for (s, mark) in drawn if s.label]
    if behind:
        labelled = [("yours", marks[0]), ("the author's", drawn[0][1])]
    if labelled:
        yield f"{'':{_LABEL}}  " + "   ".join(f"{mark} {label}" for label, mark in labelled)


def _axis(chart: Lines, low: float, high: float, columns: int) -> str:
    """The labels under the axis: as many of them as do not touch."""
    ends = [math.exp(v) if "x" in chart.log else v for v in (low, high)]
    marks = chart.x_marks or [(v, _short(v)) for v in ends]
    line = " " * (columns + _LABEL + 2)
    taken = -1
    for value, text in marks:
        at = (_scaled(value, "x" in chart.log) - low) / ((high - low) or 1)
        if not -0.001 <= at <= 1.001:
            continue
        start = _LABEL + 2 + round(at * (columns - 1)) - (len(text) // 2 if at > 0 else 0)
        start = min(start, len(line) - len(text))
        if start > taken:
            line = line[:start] + text + line[start + len(text) :]
            taken = start + len(text)
    return line.rstrip()


def _short(value: float) -> str:
    return number(float(f"{value:.2g}"))


def _ends(values: Sequence[float], log: bool, fit: bool = False) -> tuple[float, float]:
    scaled = [_scaled(v, log) for v in values if v > 0 or not log]
    low, high = min(scaled), max(scaled)
    return (low if log or fit else min(low, 0.0)), high


def _scaled(value: float, log: bool) -> float:
    return math.log(value) if log else value


def _points(series: Series) -> list[tuple[float, float]]:
    return sorted(zip(series.xs, series.ys, strict=True))


def _at(points: Sequence[tuple[float, float]], x: float) -> float | None:
    """The height of a line at x; None where it is not."""
    slack = 1e-9 * (abs(x) + 1)
    for (x0, y0), (x1, y1) in pairwise(points):
        if x0 - slack <= x <= x1 + slack:
            share = 0.0 if x1 == x0 else min(max((x - x0) / (x1 - x0), 0.0), 1.0)
            return y0 + (y1 - y0) * share
    return None
