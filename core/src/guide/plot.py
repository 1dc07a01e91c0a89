"""Plots as HTML and SVG that need nothing from anywhere: they follow the page's width and theme.

The marks live in an SVG that is stretched to its box, with strokes that do not stretch; the
labels are HTML beside it, so that text keeps its size on a phone. Colours are CSS classes, which
is how dark mode reaches them.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass
from html import escape

from guide.units import number

_COLUMNS = 400  # past this many points, each column of the plot shows its lowest and highest


@dataclass(frozen=True, slots=True)
class Line:
    """Values over x, joined or as dots. A value of None is a gap."""

    label: str
    xs: Sequence[float]
    ys: Sequence[float | None]
    css: str = "c0"  # c0 to c3, or "bad"
    dots: bool = False


@dataclass(frozen=True, slots=True)
class Rule:
    """A straight line across the plot, such as a budget."""

    label: str
    at: float
    css: str = "budget"


def line_plot(
    lines: Sequence[Line],
    *,
    x_label: str,
    y_label: str,
    rule: Rule | None = None,
    y_top: float | None = None,
    from_zero: bool = True,
) -> str:
    """Lines over a common x axis, with a horizontal rule; what is above `y_top` sits at the top."""
    points = [(x, y) for li in lines for x, y in zip(li.xs, li.ys, strict=True) if y is not None]
    if not points:
        return '<p class="empty">No values.</p>'
    x_low, x_high = _range([x for x, _ in points], pad=False)
    y_low, y_high = _range([y for _, y in points], pad=not from_zero)
    if from_zero:
        y_low = min(0.0, y_low)
    if rule is not None:
        y_high = max(y_high, rule.at * 1.1)
    y_high = y_top if y_top is not None else y_high + (y_high - y_low) * 0.05
    box = _Box(x_low, x_high, y_low, y_high)
    marks = [_path(box, line) for line in lines]
    if rule is not None:
        y = box.y(rule.at)
        marks.append(f'<path class="{rule.css}" d="M0 {y:.1f}H1000"/>')
    legend = [(line.label, line.css) for line in lines if line.label]
    if rule is not None:
        legend.append((rule.label, rule.css))
    return _frame(box, marks, x_label, y_label, legend)


def bar_plot(
    edges: Sequence[float],
    counts: Sequence[int],
    *,
    x_label: str,
    y_label: str,
    rules: Sequence[Rule] = (),
) -> str:
    """A histogram: `counts[i]` between `edges[i]` and `edges[i + 1]`; vertical rules over it.

    Bars past the first rule are drawn as bad. Heights are square roots of the counts, so that
    one late tick in a thousand can still be seen; the axis is labelled accordingly.
    """
    if not counts or max(counts) == 0:
        return '<p class="empty">No values.</p>'
    box = _Box(edges[0], edges[-1], 0.0, math.sqrt(max(counts)) * 1.05)
    good: list[str] = []
    bad: list[str] = []
    for left, right, count in zip(edges, edges[1:], counts, strict=False):
        if count:
            x0, x1, y = box.x(left), box.x(right), box.y(math.sqrt(count))
            past = rules and left >= rules[0].at
            (bad if past else good).append(f"M{x0:.1f} 1000V{y:.1f}H{x1 - 0.8:.1f}V1000Z")
    marks = [
        f'<path class="fill {css}" d="{"".join(d)}"/>'
        for css, d in (("c0", good), ("bad", bad))
        if d
    ]
    marks += [f'<path class="{r.css}" d="M{box.x(r.at):.1f} 0V1000"/>' for r in rules]
    legend = [(rule.label, rule.css) for rule in rules]
    return _frame(box, marks, x_label, y_label, legend, y_value=lambda v: v * v)


@dataclass(frozen=True, slots=True)
class _Box:
    """Maps data to the 1000 x 1000 units of the SVG, y downwards."""

    x_low: float
    x_high: float
    y_low: float
    y_high: float

    def x(self, value: float) -> float:
        return 1000 * (value - self.x_low) / (self.x_high - self.x_low)

    def y(self, value: float) -> float:
        share = (value - self.y_low) / (self.y_high - self.y_low)
        return 1000 * (1 - min(max(share, 0.0), 1.0))


def _range(values: Iterable[float], *, pad: bool) -> tuple[float, float]:
    values = list(values)
    low, high = min(values), max(values)
    if low == high:
        return (low - 0.5, high + 0.5) if pad or low <= 0 else (0.0, high * 2)
    margin = (high - low) * 0.08 if pad else 0.0
    return low - margin, high


def _path(box: _Box, line: Line) -> str:
    points = [
        (box.x(x), None if y is None else box.y(y)) for x, y in zip(line.xs, line.ys, strict=True)
    ]
    parts = []
    if len(points) > 3 * _COLUMNS:
        columns: dict[int, list[float]] = {}
        for x, y in points:
            if y is not None:
                columns.setdefault(int(x * _COLUMNS / 1000), []).append(y)
        for column, ys in sorted(columns.items()):
            x = (column + 0.5) * 1000 / _COLUMNS
            parts.append(f"M{x:.1f} {min(ys):.1f}V{max(ys) + 0.5:.1f}")
        css = f"{line.css} columns"
    elif line.dots:
        # A line of no length with round caps is a dot that the stretched SVG cannot squash.
        parts = [f"M{x:.1f} {y:.1f}h0" for x, y in points if y is not None]
        css = f"{line.css} dots"
    else:
        pen = "M"
        for x, y in points:
            if y is None:
                pen = "M"
            else:
                parts.append(f"{pen}{x:.1f} {y:.1f}")
                pen = "L"
        css = line.css
    return f'<path class="{css}" d="{"".join(parts)}"/>'


def _ticks(low: float, high: float, about: int) -> list[float]:
    raw = (high - low) / about
    power = 10.0 ** math.floor(math.log10(raw))
    step = next(power * m for m in (1, 2, 5, 10) if power * m >= raw * 0.999)
    first = math.ceil(low / step - 1e-9)
    return [i * step for i in range(first, math.floor(high / step + 1e-9) + 1)]


def _frame(
    box: _Box,
    marks: Sequence[str],
    x_label: str,
    y_label: str,
    legend: Sequence[tuple[str, str]],
    y_value: Callable[[float], float] = lambda v: v,
) -> str:
    grid, labels = [], []
    for value in _ticks(box.y_low, box.y_high, 6):
        y = box.y(value)
        grid.append(f"M0 {y:.1f}H1000")
        text = number(float(f"{y_value(value):.6g}"))
        labels.append(f'<span class="y" style="top:{y / 10:.1f}%">{text}</span>')
    for value in _ticks(box.x_low, box.x_high, 6):
        text = number(float(f"{value:.6g}"))
        labels.append(f'<span class="x" style="left:{box.x(value) / 10:.1f}%">{text}</span>')
    keys = "".join(f'<span class="key {css}">{escape(text)}</span>' for text, css in legend)
    return (
        f'<figure class="plot"><div class="legend"><span>{escape(y_label)}</span>{keys}</div>'
        f'<div class="area"><svg viewBox="0 0 1000 1000" preserveAspectRatio="none" '
        f'role="img" aria-label="{escape(y_label)} over {escape(x_label)}">'
        f'<path class="grid" d="{"".join(grid)}"/>{"".join(marks)}</svg>{"".join(labels)}</div>'
        f"<figcaption>{escape(x_label)}</figcaption></figure>"
    )
