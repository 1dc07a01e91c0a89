"""The machine card as one HTML page that needs nothing from anywhere, and looks like a report."""

from __future__ import annotations

from collections.abc import Iterable
from html import escape
from itertools import product
from pathlib import Path

from guide.ceilings.card import Card, Figure, binary
from guide.plot import Line, log_plot
from guide.report.page import document, pair, section, tiles
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


def render(card: Card) -> str:
    """The page."""
    title = "What this machine can do"
    body = (
        f"<header><h1>{title}</h1><p class='sub'>{escape(machine(card))}<br>"
        f"measured {when(card)}</p></header>{''.join(_sections(card))}"
        "<footer><p>Every ceiling is the best of its trials; ± is how far from it the best quarter "
        "of them ends. Type <code>guide machine --again</code> to measure anew.</p></footer>"
    )
    return document(title, body, Path(__file__).with_name("page.css"))


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
    yield tiles((f.text, f.name) for f in card.main if f.steady)
    yield pair([_distance(card), _roof(card)])
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
        yield section(title, f'<table class="card">{"".join(rows)}</table>')


def _distance(card: Card) -> str:
    """How long a load takes, by how much data it may lie in."""
    if len(card.curve) < 2:
        return ""
    line = Line("", [float(size) for size, _ in card.curve], [ns for _, ns in card.curve])
    why = "A load that must wait for the one before. Each step is a cache that is too small."
    plot = log_plot([line], "data it walks through", "ns", _SIZES)
    return section("How far away data is", plot, why)


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
    plot = log_plot(lines, "operations on each byte from memory", "GFLOP/s", _SHARES)
    return section("How fast a loop can be", plot, why)
