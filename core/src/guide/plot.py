"""Plots as HTML and SVG that need nothing from anywhere: they follow the page's width and theme.

The marks live in an SVG that is stretched to its box, with strokes that do not stretch; the
labels are HTML beside it, so that text keeps its size on a phone. Colours are CSS classes, which
is how dark mode reaches them. A long line is drawn as the lowest and highest of each column of
the plot, and carries more of its points for report.js to zoom into.
"""

from __future__ import annotations

import math
from base64 import b64encode
from collections.abc import Callable, Iterable, Iterator, Sequence
from dataclasses import dataclass
from html import escape
from typing import TYPE_CHECKING

from guide.units import number

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_COLUMNS = 400  # past three points for each, a column of the plot shows its lowest and highest
_TEN, _MOST_POWERS = math.log10(2), 12  # how many powers of two an axis has room for
_LOG_ROOM = math.log2(1.15)  # above and below the lines on a logarithmic axis
_GAP, _LOG_STEPS, _LOG_FINE = 65535, 3000, 1000  # how report.js reads them


@dataclass(frozen=True, slots=True)
class Line:
    """Values over x, joined or as dots. A value of None is a gap."""

    label: str
    xs: Sequence[float]
    ys: Sequence[float | None]
    css: str = "c0"  # c0 to c3, k0 to k5, or "bad"
    dots: bool = False
    # A band around the line, as factors: a model's lower and upper bound over its middle.
    band: tuple[float, float] | None = None
    # Groups of points, each its lowest and highest, that a long line carries for zooming.
    groups: int = 4000


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line across the plot, such as a budget."""

    label: str
    at: float
    css: str = "budget"


@dataclass(frozen=True, slots=True)
class Flag:
    """A letter at a point of the plot, that leads to `href`."""

    x: float
    y: float
    letter: str
    css: str
    href: str
    title: str


def line_plot(
    lines: Sequence[Line],
    *,
    x_label: str,
    y_label: str,
    rule: Rule | None = None,
    y_top: float | None = None,
    from_zero: bool = True,
    flags: Sequence[Flag] = (),
    x_marks: Sequence[tuple[float, str]] | None = None,
) -> str:
    """Lines over a common x axis, with a horizontal rule; what is above `y_top` sits at the top.

    `x_marks` are the values of x that are labelled, with their text; by default round ones.
    """
    import numpy as np

    drawn = [(li, np.array(li.xs, float), np.array(li.ys, float)) for li in lines]
    shown = [(x[~np.isnan(y)], y[~np.isnan(y)]) for _, x, y in drawn]
    all_x, all_y = (np.concatenate([np.empty(0), *(pair[i] for pair in shown)]) for i in (0, 1))
    if not all_x.size:
        return '<p class="empty">No values.</p>'
    x_low, x_high = _range(all_x, pad=False)
    y_low, y_high = _range(all_y, pad=not from_zero)
    if from_zero:
        y_low = min(0.0, y_low)
    for line in lines:
        y_high = max(y_high, y_high * line.band[1]) if line.band else y_high
    if rule is not None:
        y_high = max(y_high, rule.at * 1.1)
    y_high = y_top if y_top is not None else y_high + (y_high - y_low) * 0.05
    box = Box(x_low, x_high, y_low, y_high)
    marks = [_band(box, line, x, y) for line, x, y in drawn if line.band]
    marks += [_path(box, line, x, y) for line, x, y in drawn]
    if rule is not None:
        y = box.y(rule.at)
        marks.append(f'<path class="{rule.css}" d="M0 {y:.1f}H1000"/>')
    legend = [(line.label, line.css) for line in lines if line.label]
    if rule is not None:
        legend.append((rule.label, rule.css))
    overlay = "".join(
        f'<a class="flag {flag.css}" data-at="{flag.x:.6g}" href="{escape(flag.href)}" '
        f'style="left:{box.x(flag.x) / 10:.2f}%;top:{box.y(flag.y) / 10:.2f}%" '
        f'title="{escape(flag.title)}">{escape(flag.letter)}</a>'
        for flag in flags
    )
    if x_marks is not None:
        x_marks = [mark for mark in x_marks if x_low <= mark[0] <= x_high]
    return frame(box, marks, x_label, y_label, legend, x_marks=x_marks, zooms=True, overlay=overlay)


def log_plot(
    lines: Sequence[Line], x_label: str, y_label: str, x_marks: Sequence[tuple[float, str]]
) -> str:
    """Lines on logarithmic axes; `x_marks` are the values of x that are labelled, with their text.

    On the y axis the powers of two are labelled, or those of ten where they are too many.
    """
    import numpy as np

    drawn = [(line, np.log2(line.xs), np.log2(np.array(line.ys, float))) for line in lines]
    left, right = _range(np.concatenate([x for _, x, _ in drawn]), pad=False)
    low, high = _range(np.concatenate([y for _, _, y in drawn]), pad=False)
    box = Box(left, right, low - _LOG_ROOM, high + _LOG_ROOM)
    logs = [(math.log2(value), text) for value, text in x_marks]
    powers = range(math.ceil(box.y_low), math.floor(box.y_high) + 1)
    y_marks = [(float(power), number(2.0**power)) for power in powers]
    if len(y_marks) > _MOST_POWERS:
        tens = range(math.ceil(box.y_low * _TEN), math.floor(box.y_high * _TEN) + 1)
        step = math.ceil(len(tens) / _MOST_POWERS)
        y_marks = [(n / _TEN, f"1e{n}" if abs(n) > 3 else number(10.0**n)) for n in tens[::step]]
    return frame(
        box,
        [_path(box, line, x, y) for line, x, y in drawn],
        x_label,
        y_label,
        [(line.label, line.css) for line in lines if line.label],
        x_marks=[mark for mark in logs if left <= mark[0] <= right],
        y_marks=y_marks,
        rem=17,
    )


def row_plot(
    rows: Sequence[tuple[str, str, Sequence[float]]], x_range: tuple[float, float], x_label: str
) -> str:
    """One row for each of `rows` (letter, css, xs), with a stroke wherever something happened."""
    box = Box(*_range(x_range, pad=False), 0, len(rows))
    marks, names = [], []
    for i, (letter, css, xs) in enumerate(rows):
        top, bottom = box.y(len(rows) - i - 0.1), box.y(len(rows) - i - 0.9)
        places = sorted({f"{box.x(x):.1f}" for x in xs}, key=float)
        strokes = "".join(f"M{x} {top:.0f}V{bottom:.0f}" for x in places)
        marks.append(f'<path class="{css} stroke" d="{strokes}"/>')
        middle = (top + bottom) / 20
        names.append(f'<span class="y letter {css}" style="top:{middle:.1f}%">{letter}</span>')
    return frame(
        box, marks, x_label, "", (), zooms=True, overlay="".join(names), rem=1.15 * len(rows)
    )


def bar_plot(
    edges: Sequence[float],
    counts: Sequence[int],
    *,
    x_label: str,
    y_label: str,
    rules: Sequence[Rule] = (),
) -> str:
    """A histogram: `counts[i]` between `edges[i]` and `edges[i + 1]`; vertical rules over it.

    Bars past a budget are drawn as bad. Heights are square roots of the counts, so that
    one late tick in a thousand can still be seen; the axis is labelled accordingly.
    """
    if not counts or max(counts) == 0:
        return '<p class="empty">No values.</p>'
    box = Box(edges[0], edges[-1], 0.0, math.sqrt(max(counts)) * 1.05)
    good: list[str] = []
    bad: list[str] = []
    for left, right, count in zip(edges, edges[1:], counts, strict=False):
        if count:
            x0, x1, y = box.x(left), box.x(right), box.y(math.sqrt(count))
            past = any(left >= rule.at for rule in rules if rule.css == "budget")
            (bad if past else good).append(f"M{x0:.1f} 1000V{y:.1f}H{x1 - 0.8:.1f}V1000Z")
    marks = [
        f'<path class="fill {css}" d="{"".join(d)}"/>'
        for css, d in (("c0", good), ("bad", bad))
        if d
    ]
    marks += [f'<path class="{r.css}" d="M{box.x(r.at):.1f} 0V1000"/>' for r in rules]
    legend = [(rule.label, rule.css) for rule in rules]
    heights = _round_marks(box.y_low, box.y_high, lambda v: v * v)
    return frame(box, marks, x_label, y_label, legend, y_marks=heights)


@dataclass(frozen=True, slots=True)
class Box:
    """Maps data to the 1000 x 1000 units of the SVG, y downwards."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def x(self, value: float) -> float:
        """From data to the SVG."""
        return 1000 * (value - self.x_low) / (self.x_high - self.x_low)

    def y(self, value: float) -> float:
        """From data to the SVG; what is outside sits at the edge."""
        share = (value - self.y_low) / (self.y_high - self.y_low)
        return 1000 * (1 - min(max(share, 0.0), 1.0))


def _range(values: Sequence[float] | NDArray[np.float64], *, pad: bool) -> tuple[float, float]:
    low, high = float(min(values)), float(max(values))
    if low == high:
        return (low - 0.5, high + 0.5) if pad or low <= 0 else (0.0, high * 2)
    margin = (high - low) * 0.08 if pad else 0.0
    return low - margin, high


def _path(box: Box, line: Line, xs: NDArray[np.float64], ys: NDArray[np.float64]) -> str:
    import numpy as np

    x = 1000 * (xs - box.x_low) / (box.x_high - box.x_low)
    share = (ys - box.y_low) / (box.y_high - box.y_low)
    y = 1000 * (1 - np.clip(share, 0, 1))
    if len(x) > 3 * _COLUMNS:
        order = np.argsort(x, kind="stable")
        column = np.minimum(x[order] * _COLUMNS / 1000, _COLUMNS - 1).astype(int)
        columns, first = np.unique(column, return_index=True)
        ends = zip(columns, *(f.reduceat(y[order], first) for f in (np.fmin, np.fmax)), strict=True)
        parts = [
            f"M{(at + 0.5) * 1000 / _COLUMNS:.1f} {top:.1f}V{bottom + 0.5:.1f}"
            for at, top, bottom in ends
            if top == top
        ]
        carried = _carried(x[order], share[order], line.groups)
        return f'<path class="{line.css} columns" data-p="{carried}" d="{"".join(parts)}"/>'
    if line.dots:
        # A line of no length with round caps is a dot that the stretched SVG cannot squash.
        parts = [f"M{a:.1f} {b:.1f}h0" for a, b in zip(x, y, strict=True) if b == b]
        return f'<path class="{line.css} dots" d="{"".join(parts)}"/>'
    pens = np.where(np.isnan(np.roll(y, 1)) | (np.arange(len(y)) == 0), "M", "L")
    parts = [f"{pen}{a:.1f} {b:.1f}" for pen, a, b in zip(pens, x, y, strict=True) if b == b]
    return f'<path class="{line.css}" d="{"".join(parts)}"/>'


def _carried(x: NDArray[np.float64], share: NDArray[np.float64], groups: int) -> str:
    """The points in 16 bits each way: x linear, y logarithmic, so that an outlier fits as well."""
    import numpy as np

    size = math.ceil(len(x) / groups)
    if size > 2:  # of each group of neighbours the lowest and the highest
        first = np.arange(0, len(x), size)
        ends = [f.reduceat(share, first) for f in (np.fmin, np.fmax)]
        x, share = np.repeat(x[first], 2), np.stack(ends, axis=1).ravel()
    log = np.log2(1 + np.maximum(np.nan_to_num(share), 0) * _LOG_FINE) * _LOG_STEPS
    y = np.where(np.isnan(share), _GAP, np.minimum(log, _GAP - 1))
    points = np.stack([np.clip(x / 1000, 0, 1) * 65535, y], axis=1).round().astype("<u2")
    return b64encode(points.tobytes()).decode()


def _band(box: Box, line: Line, xs: NDArray[np.float64], ys: NDArray[np.float64]) -> str:
    low, high = line.band or (1.0, 1.0)
    step = max(len(xs) // _COLUMNS, 1)
    points = [(box.x(x), y) for x, y in zip(xs[::step], ys[::step], strict=True) if y == y]
    there = [f"{x:.1f} {box.y(y * high):.1f}" for x, y in points]
    back = [f"{x:.1f} {box.y(y * low):.1f}" for x, y in reversed(points)]
    return f'<path class="band {line.css}" d="M{"L".join(there + back)}Z"/>' if points else ""


def _round_marks(
    low: float, high: float, said: Callable[[float], float] = float
) -> Iterator[tuple[float, str]]:
    """About six round values from `low` to `high`, each with what is `said` of it as text."""
    raw = (high - low) / 6
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    for i in range(first, math.floor(high / step + 1e-9) + 1):
        yield i * step, number(float(f"{said(i * step):.6g}"))


def frame(
    box: Box,
    marks: Sequence[str],
    x_label: str,
    y_label: str,
    legend: Sequence[tuple[str, str]],
    *,
    x_marks: Iterable[tuple[float, str]] | None = None,
    y_marks: Iterable[tuple[float, str]] | None = None,
    zooms: bool = False,
    overlay: str = "",
    rem: float | None = None,
) -> str:
    """A plot around SVG `marks`: grid, labels, legend of (text, class), HTML `overlay`.

    `x_marks` and `y_marks` are the values that are labelled, with their text; by default round
    ones. Without a `y_label` the y axis has no labels of its own; `rem` is its height, 13 by
    default.
    """
    grid, labels = [], []
    if y_marks is None:
        y_marks = _round_marks(box.y_low, box.y_high) if y_label else ()
    for value, text in y_marks:
        y = box.y(value)
        grid.append(f"M0 {y:.1f}H1000")
        labels.append(f'<span class="y" style="top:{y / 10:.1f}%">{text}</span>')
    for value, text in _round_marks(box.x_low, box.x_high) if x_marks is None else x_marks:
        labels.append(f'<span class="x" style="left:{box.x(value) / 10:.1f}%">{text}</span>')
    keys = "".join(f'<span class="key {css}">{escape(text)}</span>' for text, css in legend)
    zoom = f' data-x="{box.x_low!r} {box.x_high!r}"' if zooms else ""
    height = f' style="height:{rem:.2f}rem"' if rem else ""
    return (
        f'<figure class="plot" data-axis="{escape(x_label)}"{zoom}>'
        f'<div class="legend"><span>{escape(y_label)}</span>{keys}</div>'
        f'<div class="area"{height}><svg viewBox="0 0 1000 1000" preserveAspectRatio="none" '
        f'role="img" aria-label="{escape(y_label)} over {escape(x_label)}">'
        f'<path class="grid" d="{"".join(grid)}"/>{"".join(marks)}</svg>'
        f"{''.join(labels)}{overlay}</div>"
        f"<figcaption>{escape(x_label)}</figcaption></figure>"
    )
