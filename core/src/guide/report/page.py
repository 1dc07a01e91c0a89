"""The parts that every section of a report is put together from."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from guide.units import interval, quantity

Record = Mapping[str, Any]

_STYLE = Path(__file__).parent.parent / "report.css"


def document(title: str, body: str, *extras: Path) -> str:
    """A page that needs nothing from anywhere, in the style of report.css.

    Args:
        title: its title, as HTML.
        body: what stands on it, as HTML.
        extras: files of CSS and of JavaScript that it takes beside that.
    """
    files = (_STYLE, *extras)
    css, js = (
        "".join(file.read_text(encoding="utf-8") for file in files if file.suffix == kind)
        for kind in (".css", ".js")
    )
    script = f"<script>{js}</script>" if js else ""
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{title}</title><style>{css}</style></head>"
        f"<body>{body}{script}</body></html>\n"
    )


def tiles(figures: Iterable[tuple[str, str]]) -> str:
    """Figures to look at first, each with what it is: plain text both."""
    body = "".join(
        f'<div class="tile"><b>{escape(value)}</b><span>{escape(label)}</span></div>'
        for value, label in figures
    )
    return f'<div class="tiles">{body}</div>'


def section(title: str, body: str, why: str = "") -> str:
    """A card with a heading and, under it, a line about how to read it. All three are HTML."""
    why = f'<p class="why">{why}</p>' if why else ""
    return f"<section><h2>{title}</h2>{why}{body}</section>"


def pair(parts: Iterable[str]) -> str:
    """Cards side by side where there is room."""
    body = "".join(parts)
    return f'<div class="pair">{body}</div>' if body else ""


def cells(*values: str) -> str:
    """Cells of a table that hold figures."""
    return "".join(f"<td class=n>{value}</td>" for value in values)


def table(head: Sequence[str], rows: Iterable[str], css: str = "") -> str:
    """A table that scrolls by itself on a narrow page.

    In a heading, `#` marks a column of figures, `?` one that a narrow page does without.
    """
    heads = "".join(
        f'<th class="{"n" * ("#" in name)} {"opt" * ("?" in name)}">{name.lstrip("#?")}</th>'
        for name in head
    )
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="scroll"><table class="{css}"><tr>{heads}</tr>{body}</table></div>'


def bounded(reading: Mapping[str, Any], share: float = 1.0) -> str:
    """A reading as text, or `share` of it; one that is only bounded as its bounds."""
    if reading["low"] is None:
        return quantity(reading["value"] * share, reading["unit"])
    return interval(reading["low"] * share, reading["high"] * share, reading["unit"])
