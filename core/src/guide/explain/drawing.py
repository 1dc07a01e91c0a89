"""One typical step as a picture, with the verdicts pinned on it."""

from __future__ import annotations

from collections.abc import Sequence
from html import escape

import numpy as np

from guide.explain.answer import Answer
from guide.explain.lanes import COLOURS, PINNED, PIXELS, Lane, Shape, drawn_step, lanes_of
from guide.explain.trace import Trace, Window, union
from guide.plot import Box, frame
from guide.plugin import Verdict

_BETWEEN = 0.3  # of a row, above each lane
_MEANS = {
    "kernel": "kernel",
    "memcpy": "copy on the device",
    "op": "operator",
    "runtime": "call into the driver",
    "annotation": "named by the program",
    "python": "Python function",
}
Stretch = tuple[int, int, str]  # from, until, the lane


def timeline(trace: Trace, answer: Answer) -> str:
    """The drawing as HTML; empty where there is nothing to draw."""
    step = drawn_step(trace, answer.worth)
    lanes = lanes_of(trace, step) if step.ns > 0 else []
    if not any(lane.shapes for lane in lanes):
        return ""
    pinned = [
        (number, verdict, stretches)
        for number, verdict in enumerate(answer.worth[:PINNED], 1)
        if (stretches := _stretches(verdict, step))
    ]
    made = _Drawing(step, len(pinned), lanes)
    for lane in lanes:
        made.lane(lane)
    for row, (number, verdict, stretches) in enumerate(pinned):
        made.verdict(row, number, verdict.title, stretches)
    what = {"tick": "tick", "trace": "trace"}.get(answer.unit, "step")
    label = f"ms from the start of the {what}"
    overlay = "".join(made.labels)
    legend = _legend(trace, lanes)
    drawn = frame(made.box, made.marks, label, "", legend, overlay=overlay, rem=1.25 * made.rows)
    return f'<div class="flight step">{drawn}</div>'


class _Drawing:
    """Marks of the SVG and labels over it, from top to bottom: verdicts, then lanes."""

    def __init__(self, step: Window, verdicts: int, lanes: Sequence[Lane]) -> None:
        self.step, self.first = step, float(verdicts)
        self.rows = verdicts + sum(lane.rows + _BETWEEN for lane in lanes)
        self.box = Box(0.0, step.ns / 1e6, 0.0, self.rows)
        self.marks: list[str] = []
        self.labels: list[str] = []
        self.top = self.first
        self.places: dict[str, tuple[float, float]] = {}  # of a lane, by its names

    def lane(self, lane: Lane) -> None:
        """Draw the next lane below the last."""
        self.top += _BETWEEN
        self.places[lane.track] = self.places[lane.name] = (self.top, self.top + lane.rows)
        name, middle = escape(lane.name), self.share(self.top + 0.5)
        self.labels.append(
            f'<span class="y" style="top:{middle:.2f}%" title="{name}">{name}</span>'
        )
        for shape in lane.shapes:
            self.bar(shape, self.top + shape.row)
        self.top += lane.rows

    def bar(self, shape: Shape, top: float) -> None:
        """Draw one bar, with its name in it where there is room."""
        d = self.path(shape.start_ns, shape.end_ns, top + 0.08, top + 0.92)
        dense = f' fill-opacity="{shape.dense:.2g}"' if shape.dense < 1 else ""
        title = f"<title>{escape(shape.title)}</title>"
        self.marks.append(f'<path class="fill {shape.css}"{dense} d="{d}">{title}</path>')
        x0, x1 = self.across(shape.start_ns, shape.end_ns)
        if x1 - x0 < 45 or not shape.words:
            return
        wide, middle = " wide" * (x1 - x0 > 150), self.share(top + 0.5)
        place = f"left:{x0 / 10:.1f}%;width:{(x1 - x0) / 10:.1f}%;top:{middle:.2f}%"
        words = escape(shape.words[:60])
        self.labels.append(f'<span class="in{wide}" style="{place}">{words}</span>')

    def verdict(self, row: int, number: int, title: str, stretches: Sequence[Stretch]) -> None:
        """Draw where a verdict lies: in a row of its own, and faintly over its lanes."""
        css, title = f"k{number - 1}", escape(f"{number}: {title}")
        self.labels.append(
            f'<a class="y badge {css}" style="top:{self.share(row + 0.5):.2f}%" '
            f'href="#verdict-{number}" title="{title}">{number}</a>'
        )
        everywhere = (self.first, self.rows)
        own = [self.path(start, end, row + 0.2, row + 0.8) for start, end, _ in stretches]
        over = [
            self.path(start, end, *self.places.get(lane, everywhere))
            for start, end, lane in stretches
        ]
        self.marks.append(f'<path class="band {css}" d="{"".join(over)}"/>')
        self.marks.append(
            f'<path class="fill {css}" d="{"".join(own)}"><title>{title}</title></path>'
        )

    def path(self, start_ns: int, end_ns: int, top: float, bottom: float) -> str:
        """A rectangle, as SVG writes it."""
        x0, x1 = self.across(start_ns, end_ns)
        y0, y1 = 10 * self.share(top), 10 * self.share(bottom)
        return f"M{x0:.1f} {y0:.1f}H{x1:.1f}V{y1:.1f}H{x0:.1f}Z"

    def across(self, start_ns: int, end_ns: int) -> tuple[float, float]:
        """From where to where something lies; never too narrow to be seen."""
        x0, x1 = (self.box.x((t - self.step.start_ns) / 1e6) for t in (start_ns, end_ns))
        return x0, max(x1, x0 + 0.8)

    def share(self, row: float) -> float:
        """How far down a row lies, in per cent."""
        return 100 * row / self.rows


def _stretches(verdict: Verdict, step: Window) -> list[Stretch]:
    """A verdict's pins within a step, those nearer than a pixel joined, lane by lane."""
    by_lane: dict[str, list[tuple[int, int]]] = {}
    for pin in verdict.pins:
        if pin.end_ns > step.start_ns and pin.start_ns < step.end_ns:
            span = (max(pin.start_ns, step.start_ns), min(pin.end_ns, step.end_ns))
            by_lane.setdefault(pin.lane, []).append(span)
    least, found = round(step.ns / PIXELS), []
    for lane, spans in by_lane.items():
        starts, ends = np.array(spans, np.int64).T
        joined = union(starts, ends + least)
        for start, end in zip(joined[0].tolist(), joined[1].tolist(), strict=True):
            found.append((start, min(end - least, step.end_ns), lane))
    return found


def _legend(trace: Trace, lanes: Sequence[Lane]) -> list[tuple[str, str]]:
    """What the colours mean; spans have their names in them."""
    if any(len(trace.events.of(kind)) for kind in ("span", "tick")):
        return []
    used = {shape.css for lane in lanes for shape in lane.shapes}
    legend = [("GPU idle", "idle")] if "idle" in used else []
    return legend + [(_MEANS[kind], COLOURS[kind]) for kind in _MEANS if COLOURS[kind] in used]
