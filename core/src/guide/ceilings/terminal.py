"""The machine card for a terminal."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence

import click

from guide.ceilings.card import Card, binary
from guide.ceilings.page import grouped, machine, when

_EIGHTHS = " ▁▂▃▄▅▆▇█"
_ROWS = 5


def lines(card: Card, unicode: bool = True) -> Iterator[str]:
    """The card: its figures under their headings, and the latency curve."""
    yield click.style(machine(card), bold=True)
    yield f"measured {when(card)}"
    for title, figures in grouped(card):
        yield click.style(f"\n{title.lower()}", bold=True)
        said = ""
        for figure in figures:
            if figure.steady:
                sign = "±" if unicode else "+-"
                spread = f"{sign}{100 * figure.spread:.0f} %" if figure.spread else ""
                why = figure.why if figure.why != said else ""
                yield f"  {figure.name:32}{figure.text:>14} {spread:>6}  {why}".rstrip()
            else:
                yield f"  {figure.name:35}{click.style(figure.text, fg='yellow')}"
            said = figure.why
        if title == "Memory" and len(card.curve) > 1:
            yield ""
            yield from curve(card.curve, unicode)


def curve(points: Sequence[tuple[int, float]], unicode: bool = True) -> Iterator[str]:
    """The latency curve as columns, both axes logarithmic; two cells a size."""
    low, high = (math.log(pick(ns for _, ns in points)) for pick in (min, max))
    heights = [1 + (8 * _ROWS - 1) * (math.log(ns) - low) / (high - low or 1) for _, ns in points]
    for row in reversed(range(_ROWS)):
        cells = (min(max(round(height) - 8 * row, 0), 8) for height in heights)
        text = "".join((_EIGHTHS[c] if unicode else " #"[c > 3]) * 2 for c in cells)
        label = {0: math.exp(low), _ROWS - 1: math.exp(high)}.get(row)
        yield f"{f'{label:.3g} ns' if label else '':>10} {text}".rstrip()
    ends = binary(points[0][0]), binary(points[-1][0])
    yield f"{'':10} {ends[0]}{ends[1]:>{2 * len(points) - len(ends[0])}}"
