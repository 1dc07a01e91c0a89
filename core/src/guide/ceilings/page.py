"""The machine card as one HTML page that needs nothing from anywhere, and looks like a report."""

from __future__ import annotations

import math
from collections.abc import Iterable, Sequence
from html import escape
from itertools import product
from pathlib import Path

import guide
from guide.ceilings.card import Card, Figure, binary
from guide.plot import Line
from guide.units import number, size

GROUPS = {
    "Memory": ("latency", "triad", "copy"),
    "Arithmetic": ("fma",),
    "Time": ("clock", "wake"),
    "Starting": ("start",),
    "Disk": ("disk",),
    "GPU": ("gpu",),
}
_SIZES = [(4096.0 * 8**i, binary(4096 * 8**i)) for i in range(6)]
_SHARES = [(4.0**i, str(4**i) if i >= 0 else f"1/{4**-i}") for i in range(-2, 5)]
_COLOURS = ("c0", "c2", "c1", "c3")
_CSS = """
.plot .tall { height: 17rem; margin-right: 1.4rem; } .plot span { white-space: nowrap; }
.card th { color: inherit; } .card td:last-child { color: var(--soft); }
@media (min-width: 40.01rem) { .card { table-layout: fixed; } .card th { width: 16rem; }
  .card td.n { width: 7rem; } .card td.n + td.n { width: 4rem; } }
@media (max-width: 40rem) { .card, .card tbody { display: block; }
  .card tr { display: flex; justify-content: space-between; border-bottom: 1px solid var(--line); }
  .card th, .card td { border: 0; } .card th { white-space: normal; }
  .card td[colspan] { flex: none; width: 55%; } }
"""


def render(card: Card) -> str:
    """The page."""
    css = (Path(guide.__file__).parent / "report.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>What this machine can do</title><style>{css}{_CSS}</style></head><body>"
        f"<header><h1>What this machine can do</h1><p class='sub'>{escape(machine(card))}<br>"
        f"measured {when(card)}</p></header>{''.join(_sections(card))}"
        "<footer><p>Every ceiling is the best of its trials; ± is how far from it the best quarter "
        "of them ends. Type <code>guide machine --again</code> to measure anew.</p></footer>"
        "</body></html>\n"
    )


def machine(card: Card) -> str:
    """What was measured, in a line."""
    facts = card.fingerprint
    memory = f", {size(float(facts['memory_bytes']))}" if "memory_bytes" in facts else ""
    return f"{facts['processor']}, {facts['threads']} threads{memory}, {facts['system']}"


def when(card: Card) -> str:
    """When it was measured, and how."""
    how = ", in a hurry" if card.quick else ""
    return f"{card.measured[:16].replace('T', ' ')} UTC in {number(card.seconds)} s{how}"


def grouped(card: Card) -> Iterable[tuple[str, list[Figure]]]:
    """The figures under their headings."""
    for title, stems in GROUPS.items():
        members = [f for f in card.figures if f.id.startswith(stems)]
        if members:
            yield title, members


def _sections(card: Card) -> Iterable[str]:
    if card.noisy:
        text = f"{card.noisy} of {len(card.figures)} figures are too noisy to say: is it busy?"
        yield f'<p class="verdict unsure">{text}</p>'
    tiles = "".join(
        f'<div class="tile"><b>{escape(f.text)}</b><span>{escape(f.name)}</span></div>'
        for f in card.main
        if f.steady
    )
    yield f'<div class="tiles">{tiles}</div><div class="pair">{_distance(card)}{_roof(card)}</div>'
    for title, figures in grouped(card):
        rows, said = [], ""
        for f in figures:
            spread = f"±{100 * f.spread:.0f} %" if f.spread else ""
            cells = (
                f"<td class=n>{escape(f.text)}</td><td class='n opt'>{spread}</td><td class=opt>"
            )
            cells += escape(f.why) if f.why != said else ""
            cells = cells if f.steady else f"<td colspan=3>{escape(f.text)}"
            rows.append(f"<tr><th scope=row>{escape(f.name)}</th>{cells}</td></tr>")
            said = f.why
        yield _section(title, "", f'<table class="card">{"".join(rows)}</table>')


def _section(title: str, why: str, body: str) -> str:
    return f'<section><h2>{title}</h2><p class="why">{why}</p>{body}</section>'


def _distance(card: Card) -> str:
    """How long a load takes, by how much data it may lie in."""
    if len(card.curve) < 2:
        return ""
    line = Line("", [float(size) for size, _ in card.curve], [ns for _, ns in card.curve])
    why = "A load that must wait for the one before. Each step is a cache that is too small."
    plot = log_plot([line], "ns", "data it walks through", _SIZES)
    return _section("How far away data is", why, plot)


def _roof(card: Card) -> str:
    """How fast a loop can be at best, by how much it computes on each byte."""
    xs, lines, why = [2.0 ** (i / 4) for i in range(-16, 33)], [], ""
    for css, (kind, id) in zip(_COLOURS, product(("f32", "f64"), ("all", "1")), strict=True):
        bandwidth, peak = card.value(f"triad.{id}"), card.value(f"fma.{kind}.{id}")
        if bandwidth and peak:
            who = "all threads" if id == "all" else "1 thread"
            ridge = peak / bandwidth
            points = sorted([*xs, ridge])
            roof = [min(bandwidth * x, peak) for x in points]
            lines.append(Line(f"{kind}, {who}", points, roof, css))
            why = why or f" In {kind} on {who} they meet at {ridge:.2g} operations a byte."
    if not lines:
        return ""
    why = f"A loop waits for memory on the slope, for arithmetic on the flat.{why}"
    plot = log_plot(lines, "GFLOP/s", "operations on each byte from memory", _SHARES)
    return _section("How fast a loop can be", why, plot)


def log_plot(
    lines: Sequence[Line], y_label: str, x_label: str, marks: Sequence[tuple[float, str]]
) -> str:
    """Lines on logarithmic axes; `marks` are the values of x that are labelled, with their text."""
    xs = [x for line in lines for x in line.xs]
    ys = [y for line in lines for y in line.ys if y]
    left, right = math.log2(min(xs)), math.log2(max(xs))
    low, high = math.log2(min(ys) / 1.15), math.log2(max(ys) * 1.15)

    def x(value: float) -> float:
        return 1000 * (math.log2(value) - left) / (right - left)

    def y(value: float) -> float:
        return 1000 * (high - math.log2(value)) / (high - low)

    grid = [2.0**k for k in range(math.ceil(low), math.floor(high) + 1)]
    labels = [f'<span class="y" style="top:{y(v) / 10:.1f}%">{number(v)}</span>' for v in grid]
    labels += [
        f'<span class="x" style="left:{x(v) / 10:.1f}%">{text}</span>'
        for v, text in marks
        if min(xs) <= v <= max(xs)
    ]
    paths = [f'<path class="grid" d="{"".join(f"M0 {y(v):.1f}H1000" for v in grid)}"/>']
    for line in lines:
        points = zip(line.xs, line.ys, strict=True)
        path = "L".join(f"{x(a):.1f} {y(b):.1f}" for a, b in points if b)
        paths.append(f'<path class="{line.css}" d="M{path}"/>')
    keys = "".join(
        f'<span class="key {li.css}">{escape(li.label)}</span>' for li in lines if li.label
    )
    return (
        f'<figure class="plot"><div class="legend"><span>{escape(y_label)}</span>{keys}</div>'
        '<div class="area tall"><svg viewBox="0 0 1000 1000" preserveAspectRatio="none" role="img" '
        f'aria-label="{escape(y_label)} over {escape(x_label)}">{"".join(paths)}</svg>'
        f"{''.join(labels)}</div><figcaption>{escape(x_label)}</figcaption></figure>"
    )
