"""The ladder as a picture: a bar for each rung's steps and CPU seconds, as SVG."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

from .climb import Climb

ROW, LEFT, BAR, GAP, TOP = 46, 190, 250, 120, 64
COLOURS = ("#3b6ea5", "#b5652b")


def ladder_svg(climbs: Sequence[Climb]) -> str:
    """The picture; bars begin at 0, so that a bar half as long is half as much."""
    width, height = LEFT + 2 * (BAR + GAP), TOP + ROW * len(climbs) + 16
    parts = [
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" '
        f'height="{height}" font-family="system-ui, sans-serif" font-size="14" fill="#222">',
        f'<rect width="{width}" height="{height}" fill="#fff"/>',
    ]
    columns = (
        ("steps to the target", [float(c.steps) for c in climbs], "{:,.0f}"),
        ("CPU seconds of these steps", [c.cpu_s for c in climbs], "{:.1f} s"),
    )
    for number, (title, values, form) in enumerate(columns):
        x = LEFT + number * (BAR + GAP)
        parts.append(f'<text x="{x}" y="36" font-weight="600">{title}</text>')
        longest = max(values)
        for row, value in enumerate(values):
            y = TOP + row * ROW
            bar = max(BAR * value / longest, 1.0)
            times = f" ({values[0] / value:.1f}x less)" if row and value else ""
            parts.append(
                f'<rect x="{x}" y="{y}" width="{bar:.1f}" height="24" rx="2" '
                f'fill="{COLOURS[number]}"/>'
                f'<text x="{x + bar + 6:.1f}" y="{y + 17}">{form.format(value)}{times}</text>'
            )
    for row, climb in enumerate(climbs):
        y = TOP + row * ROW + 17
        parts.append(
            f'<text x="{LEFT - 16}" y="{y}" text-anchor="end" font-weight="600">'
            f"{escape(climb.rung)}</text>"
        )
    return "\n".join([*parts, "</svg>"]) + "\n"


def table(climbs: Sequence[Climb]) -> str:
    """The same as a Markdown table, with joules."""
    lines = [
        "| rung | adds | parameters | steps | wall s | CPU s | J | CPU, times less |",
        "| --- | --- | --- | --- | --- | --- | --- | --- |",
    ]
    for c in climbs:
        joules = "-"
        if c.joules:
            low, high = c.joules
            joules = f"{low:.3g}" if low == high else f"{low:.3g} to {high:.3g}"
            joules += f" ({c.source})"
        less = f"{climbs[0].cpu_s / c.cpu_s:.1f}" if c.cpu_s else "-"
        lines.append(
            f"| {c.rung} | {c.adds} | {c.parameters:,} | {c.steps:,} | {c.seconds:.1f} "
            f"| {c.cpu_s:.1f} | {joules} | {less} |"
        )
    return "\n".join(lines)
