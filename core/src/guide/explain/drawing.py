"""One typical step as a picture: a lane for each busy thread and stream, the verdicts pinned on it.

A step may hold a hundred thousand events and a page is a thousand pixels wide: what is narrower
than a pixel is drawn together with its neighbours, and as many shapes are drawn as a browser
handles without effort, no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace
from html import escape

import numpy as np

from guide.explain.answer import Answer, printable
from guide.explain.trace import DEVICE, Ints, Trace, Window, covered_ns, union
from guide.plot import Box, frame
from guide.plugin import Verdict
from guide.units import duration, percent

_MOST = 1500  # shapes
_PIXELS = 1200  # of a wide page
_THREADS, _STREAMS = 4, 4  # lanes
_DEEPEST = 4  # rows of a lane
_PINNED = 6  # verdicts: there are so many colours
_NEAR_TYPICAL = 0.3  # a step whose length is so near to the typical one's may stand for it
_COLOURS = {
    "kernel": "g3",
    "memcpy": "g5",
    "memset": "g5",
    "op": "g0",
    "runtime": "g2",
    "annotation": "g4",
    "python": "g6",
    "other": "g6",
    "tick": "g6",
}
_MEANS = {
    "kernel": "kernel",
    "memcpy": "copy on the device",
    "op": "operator",
    "runtime": "call into the driver",
    "annotation": "named by the program",
    "python": "Python function",
}
_HOST = ("op", "runtime", "annotation", "python", "span", "tick")
_COLUMNS, _LEVELS = 400, 4  # in which it is drawn how busy the device was
_LEAST = 0.01  # of a step that a thread must have been busy to get a lane


@dataclass(frozen=True, slots=True)
class Shape:
    """A bar of a lane: one event, or several that are too narrow to be told apart."""

    start_ns: int
    end_ns: int
    row: int
    css: str
    words: str  # what is written in it
    title: str  # what is said of it when one points at it
    dense: float = 1.0  # how much of it is covered by events


@dataclass(frozen=True, slots=True)
class Lane:
    """A thread or a stream: its name and its bars, in rows from the outermost inwards."""

    name: str
    rows: int
    shapes: tuple[Shape, ...]
    track: str = ""  # as the trace calls it; "": not one of its own


def drawn_step(trace: Trace, verdicts: Sequence[Verdict]) -> Window:
    """The step to draw: of those of about the typical length one with most of the pins."""
    typical = trace.typical
    near = [s for s in trace.steps if abs(s.ns - typical.ns) <= _NEAR_TYPICAL * typical.ns]
    pins = [
        union(*np.array([(p.start_ns, p.end_ns) for p in v.pins], np.int64).reshape(-1, 2).T)
        for v in verdicts[:_PINNED]
    ]
    shown = np.zeros(len(near), np.int64)
    starts, ends = np.array([step[:2] for step in near], np.int64).T
    for cover in pins:
        shown += covered_ns(cover, starts, ends) > 0
    best = shown.max()
    of_best = [step for step, count in zip(near, shown, strict=True) if count == best]
    return min(of_best, key=lambda step: (abs(step.ns - typical.ns), step.start_ns))


def lanes_of(trace: Trace, step: Window) -> list[Lane]:
    """What is drawn of a step: the device as a whole, its busiest streams, the busiest threads."""
    events = trace.events
    last = np.searchsorted(events.start_ns, step.end_ns)
    inside = np.flatnonzero(events.end_ns[:last] > step.start_ns)
    device = inside[np.isin(inside, events.of(*DEVICE))]
    host = inside[np.isin(inside, events.of(*_HOST))]
    if not len(host) and not len(device):
        host = inside
    lanes = _laid_out(trace, step, device, host, step.ns / _PIXELS)
    least = step.ns / _PIXELS
    while sum(len(lane.shapes) for lane in lanes if lane.track) > _MOST:
        least *= 1.6
        lanes = _laid_out(trace, step, device, host, least)
    return lanes


def _laid_out(trace: Trace, step: Window, device: Ints, host: Ints, least_ns: float) -> list[Lane]:
    events = trace.events
    lanes = []
    if len(device):
        busy = union(events.start_ns[device], events.end_ns[device])
        lanes.append(_gpu(busy, step))
    for track in _busiest(trace, step, device, _STREAMS):
        lanes.append(_lane(trace, step, device[events.track[device] == track], 1, least_ns))
    for track in _busiest(trace, step, host, _THREADS):
        among = _outer(trace, host[events.track[host] == track])
        lanes.append(_lane(trace, step, among, _DEEPEST, least_ns))
    return lanes


def _busiest(trace: Trace, step: Window, among: Ints, most: int) -> list[int]:
    """The tracks that were busy longest, the longest first; before them that of the ticks."""
    events, busy = trace.events, {}
    for track in np.unique(events.track[among]):
        own = among[events.track[among] == track]
        starts, ends = union(events.start_ns[own], events.end_ns[own])
        busy[int(track)] = int((ends - starts).sum())
    kept = sorted(busy, key=lambda track: (-busy[track], track))[:most]
    kept = [track for track in kept if busy[track] >= _LEAST * step.ns] or kept[:1]
    ticks = events.of("tick")
    first = {int(t) for t in events.track[ticks[:1]]}
    return sorted(kept, key=lambda track: (track not in first, -busy[track], track))


def _outer(trace: Trace, among: Ints) -> Ints:
    """Without functions of Python's, dozens deep, where a thread has something better to show."""
    from guide.explain.trace import CATEGORIES

    kind = trace.events.category[among]
    better = kind != CATEGORIES.index("python")
    return among[better] if better.any() else among


def _lane(trace: Trace, step: Window, among: Ints, deepest: int, least_ns: float) -> Lane:
    events = trace.events
    track = str(events.tracks[int(events.track[among[0]])])
    rows: list[list[int]] = []
    ends: list[int] = []
    starts, stops = events.start_ns[among].tolist(), events.end_ns[among].tolist()
    for index, start, end in zip(among.tolist(), starts, stops, strict=True):
        # The first row that is free: what lies inside of something comes to lie below it
        row = next((r for r, until in enumerate(ends) if until <= start), len(ends))
        ends[row:] = [end] if row < len(ends) else [*ends[row:], end]
        if row >= deepest:
            if deepest > 1:
                continue
            row = 0  # side by side on one stream
        rows += [[] for _ in range(row + 1 - len(rows))]
        rows[row].append(index)
    shapes = [
        shape
        for row, held in enumerate(rows)
        for shape in _merged(trace, step, held, row, least_ns)
    ]
    return Lane(_lane_name(trace, track), max(len(rows), 1), tuple(shapes), track)


def _lane_name(trace: Trace, track: str) -> str:
    named = printable(trace.threads.get(track, ""))
    # Torch says "thread 41 (python)" of every one
    return named.partition(" (")[0] or f"thread {printable(track.rpartition('/')[2])}"


def _merged(
    trace: Trace, step: Window, held: Sequence[int], row: int, least_ns: float
) -> Iterator[Shape]:
    """Bars for events of one row; neighbours that are narrower than `least_ns` become one."""
    events = trace.events
    few: list[int] = []

    def together() -> Iterator[Shape]:
        if not few:
            return
        start, end = events.start_ns[few[0]], max(int(events.end_ns[i]) for i in few)
        total = int(events.ns[few].sum())
        names, counts = np.unique(events.name[few], return_counts=True)
        most = printable(events.names[names[int(np.argmax(counts))]])
        text = f"{len(few):,} events, {duration(total)} in all, most of them {most}"
        if len(few) == 1:
            text = f"{most}, {duration(total)}"
        made = _shape(trace, step, int(start), int(end), row, few[0], "", text)
        yield replace(made, dense=min(max(round(total / max(end - start, 1), 1), 0.3), 1.0))

    for index in held:
        start, ns = int(events.start_ns[index]), int(events.ns[index])
        if ns >= least_ns:
            yield from together()
            few = []
            name = printable(events.name_of(index))
            end = int(events.end_ns[index])
            yield _shape(trace, step, start, end, row, index, name, f"{name}, {duration(ns)}")
        else:
            if few and start - max(int(events.end_ns[i]) for i in few[-3:]) > least_ns:
                yield from together()
                few = []
            few.append(index)
    yield from together()


def _shape(
    trace: Trace, step: Window, start: int, end: int, row: int, index: int, words: str, title: str
) -> Shape:
    from guide.explain.trace import CATEGORIES

    kind = CATEGORIES[trace.events.category[index]]
    css = _COLOURS.get(kind, f"g{trace.events.name[index] % 8}")
    start, end = max(start, step.start_ns), min(end, step.end_ns)
    return Shape(start, end, row, css, words, title[:200])


def _gpu(busy: tuple[Ints, Ints], step: Window) -> Lane:
    """When the device did anything at all, and when nothing: column by column, how much of it."""
    edges = step.start_ns + np.arange(_COLUMNS + 1) * step.ns // _COLUMNS
    share = covered_ns(busy, edges[:-1], edges[1:]) / np.maximum(np.diff(edges), 1)
    level = np.ceil(share * _LEVELS - 1e-6).astype(int)
    begins = np.flatnonzero(np.diff(level, prepend=-1))
    shapes = []
    for first, end in zip(begins, [*begins[1:], _COLUMNS], strict=True):
        start_ns, end_ns = int(edges[first]), int(edges[end])
        part = share[first:end].mean()
        text = f"busy {percent(part, 1)} of these {duration(end_ns - start_ns)}"
        shapes.append(Shape(start_ns, end_ns, 0, "idle", "", text))
        if level[first]:
            dense = level[first] / _LEVELS
            shapes.append(Shape(start_ns, end_ns, 0, "busy", "", text, dense))
    return Lane("GPU", 1, tuple(shapes))


def timeline(trace: Trace, answer: Answer) -> str:
    """The drawing as HTML; empty where there is nothing to draw."""
    step = drawn_step(trace, answer.worth)
    if step.ns <= 0:
        return ""
    lanes = lanes_of(trace, step)
    if not any(lane.shapes for lane in lanes):
        return ""
    pinned = [
        (number, verdict, spans)
        for number, verdict in enumerate(answer.worth[:_PINNED], 1)
        if (spans := _pins(verdict, step))
    ]
    height = len(pinned) + sum(lane.rows for lane in lanes) + 0.3 * len(lanes)
    box = Box(0.0, step.ns / 1e6, 0.0, height)
    marks: list[str] = []
    labels: list[str] = []
    top = float(len(pinned))
    places = {}
    for lane in lanes:
        top += 0.3
        places[lane.track] = places[lane.name] = (top, top + lane.rows)
        middle = 100 * (top + min(lane.rows, 1) / 2) / height
        name = escape(lane.name)
        labels.append(f'<span class="y" style="top:{middle:.2f}%" title="{name}">{name}</span>')
        for shape in lane.shapes:
            y0, y1 = top + shape.row + 0.08, top + shape.row + 0.92
            marks.append(_bar(box, step, shape, y0, y1, height))
            labels.append(_words(box, step, shape, (y0 + y1) / 2 / height))
        top += lane.rows
    for row, (number, verdict, spans) in enumerate(pinned):
        css = f"k{number - 1}"
        title = escape(f"{number}: {verdict.title}")
        href = f"#verdict-{number}"
        at = 100 * (row + 0.5) / height
        labels.append(
            f'<a class="y badge {css}" style="top:{at:.2f}%" href="{href}" title="{title}">'
            f"{number}</a>"
        )
        d, bands = [], []
        for start, end, lane_name in spans:
            x0, x1 = _across(box, step, start, end)
            y0, y1 = 1000 * (row + 0.2) / height, 1000 * (row + 0.8) / height
            d.append(f"M{x0:.1f} {y0:.1f}H{x1:.1f}V{y1:.1f}H{x0:.1f}Z")
            low, high = places.get(lane_name, (float(len(pinned)), height))
            y0, y1 = 1000 * low / height, 1000 * high / height
            bands.append(f"M{x0:.1f} {y0:.1f}H{x1:.1f}V{y1:.1f}H{x0:.1f}Z")
        marks.append(f'<path class="band {css}" d="{"".join(bands)}"/>')
        marks.append(f'<path class="fill {css}" d="{"".join(d)}"><title>{title}</title></path>')
    what = {"tick": "tick", "trace": "trace"}.get(answer.unit, "step")
    made = frame(
        box, marks, f"ms from the start of the {what}", "", _legend(trace, lanes),
        overlay="".join(labels), rem=1.25 * height,
    )  # fmt: skip
    return f'<div class="flight step">{made}</div>'


def _pins(verdict: Verdict, step: Window) -> list[tuple[int, int, str]]:
    """A verdict's pins within a step, those nearer than a pixel joined, lane by lane."""
    by_lane: dict[str, list[tuple[int, int]]] = {}
    for pin in verdict.pins:
        if pin.end_ns > step.start_ns and pin.start_ns < step.end_ns:
            span = (max(pin.start_ns, step.start_ns), min(pin.end_ns, step.end_ns))
            by_lane.setdefault(pin.lane, []).append(span)
    least, found = step.ns / _PIXELS, []
    for lane, spans in by_lane.items():
        starts, ends = np.array(sorted(spans), np.int64).T
        joined = union(starts, ends + round(least))
        for start, end in zip(joined[0].tolist(), joined[1].tolist(), strict=True):
            found.append((start, min(end - round(least), step.end_ns), lane))
    return found


def _across(box: Box, step: Window, start: int, end: int) -> tuple[float, float]:
    x0, x1 = (box.x((t - step.start_ns) / 1e6) for t in (start, end))
    return x0, max(x1, x0 + 0.8)


def _bar(box: Box, step: Window, shape: Shape, y0: float, y1: float, height: float) -> str:
    x0, x1 = _across(box, step, shape.start_ns, shape.end_ns)
    top, bottom = 1000 * y0 / height, 1000 * y1 / height
    dense = f' fill-opacity="{shape.dense:.2g}"' if shape.dense < 1 else ""
    where = f"M{x0:.1f} {top:.0f}H{x1:.1f}V{bottom:.0f}H{x0:.1f}Z"
    return (
        f'<path class="fill {shape.css}"{dense} d="{where}">'
        f"<title>{escape(shape.title)}</title></path>"
    )


def _words(box: Box, step: Window, shape: Shape, middle: float) -> str:
    x0, x1 = _across(box, step, shape.start_ns, shape.end_ns)
    if x1 - x0 < 45 or not shape.words:
        return ""
    wide = " wide" * (x1 - x0 > 150)
    place = f"left:{x0 / 10:.1f}%;width:{(x1 - x0) / 10:.1f}%;top:{100 * middle:.2f}%"
    return f'<span class="in{wide}" style="{place}">{escape(shape.words[:60])}</span>'


def _legend(trace: Trace, lanes: Sequence[Lane]) -> list[tuple[str, str]]:
    used = {shape.css for lane in lanes for shape in lane.shapes}
    legend = [("GPU idle", "idle")] if "idle" in used else []
    legend += [(_MEANS[kind], _COLOURS[kind]) for kind in _MEANS if _COLOURS[kind] in used]
    from_runs = any(len(trace.events.of(kind)) for kind in ("span", "tick"))
    return [] if from_runs else legend
