"""Charts for a page: SVG and HTML that need nothing from anywhere and follow light and dark."""

from __future__ import annotations

import math
from collections.abc import Iterator, Sequence
from dataclasses import replace
from html import escape

from guide.learn.chart import Bars, Chart, Lines, Series
from guide.learn.figures import draw, said
from guide.learn.pages import Shown
from guide.plot import Line, line_plot, log_plot

_COLOURS = ("c0", "c1", "c2", "c3")


def figure(shown: Shown, section: str) -> str:
    """A living figure as one block of HTML: the author's, with the reader's beside it if known."""
    author = draw(shown.figure, shown.author)
    mine = draw(shown.figure, shown.mine) if shown.mine else None
    about = f"On the author's machine: {escape(shown.author.machine)}."
    if shown.mine:
        about = f"Yours: {escape(shown.mine.machine)}, {shown.mine.when[:10]}. {about}"
    elif shown.computed:
        about = "Computed, and the same on every machine."
    else:
        about += (
            f" For yours, type <code>guide read {section}</code>, then <code>guide site</code>."
        )
    body = "".join(_parts(author, mine))
    return (
        f'<div class="guide-figure" id="figure-{shown.figure.name}"><p class="title">'
        f"{escape(shown.figure.title)}</p>{body}<p class=about>{about}</p></div>"
    )


def _parts(author: Chart, mine: Chart | None) -> Iterator[str]:
    if isinstance(author, Bars):
        yield _bars(mine if isinstance(mine, Bars) else None, author)
    elif not isinstance(mine, Lines):
        yield _lines(author, ())
    elif len(mine.series) == 1:
        yield _lines(
            replace(mine, series=[replace(mine.series[0], label="yours")]),
            [replace(author.series[0], label="the author's")],
        )
    else:
        yield f"<p class=whose>On your machine</p>{_lines(mine, ())}"
        yield f"<p class=whose>On the author's</p>{_lines(author, ())}"


def _lines(chart: Lines, behind: Sequence[Series]) -> str:
    lines = [Line(s.label, s.xs, s.ys, "p50") for s in behind]
    lines += [
        Line(s.label, s.xs, s.ys, css) for s, css in zip(chart.series, _COLOURS, strict=False)
    ]
    marks = list(chart.x_marks)
    if not chart.log:
        shown = marks or None
        return line_plot(lines, x_label=chart.x_label, y_label=chart.y_label, x_marks=shown)
    if chart.log == "y":  # an axis of powers whose exponents are x is a linear one
        lines = [replace(li, xs=[2.0**x for x in li.xs]) for li in lines]
        marks = [(2.0**x, text) for x, text in marks]
    return log_plot(_positive(lines), chart.x_label, chart.y_label, marks)


def _positive(lines: Sequence[Line]) -> list[Line]:
    low = min((y for li in lines for y in li.ys if y), default=1.0)
    return [replace(li, ys=[max(y or low, low) for y in li.ys]) for li in lines]


def _bars(mine: Bars | None, author: Bars) -> str:
    chart = mine or author
    theirs = dict(author.rows)
    amounts = [amount for _, amount in chart.rows if amount > 0]
    heads = "<th>yours<th>the author's" if mine else "<th>the author's"
    rows = []
    for name, amount in chart.rows:
        share = 0.0
        if amount > 0 and chart.log:
            span = math.log(max(amounts) / min(amounts))
            share = (math.log(amount / min(amounts)) + 0.5) / (span + 0.5)
        elif amount > 0:
            share = amount / max(amounts)
        cells = f"<td class=n>{said(amount, chart.unit)}"
        if mine:
            other = said(theirs[name], chart.unit) if name in theirs else ""
            cells += f"<td class='n soft'>{other}"
        bar = f'<td class=bar><i style="width:{100 * share:.1f}%"></i>'
        rows.append(f"<tr><th scope=row>{escape(name)}{bar}{cells}</tr>")
    note = " (bars are logarithmic)" if chart.log else ""
    return (
        f"<p class=what>{escape(chart.what)}{note}</p>"
        f'<table class="guide-bars"><tr><th><th>{heads}</tr>{"".join(rows)}</table>'
    )
