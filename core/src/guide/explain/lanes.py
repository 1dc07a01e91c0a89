"""What is drawn of a step: bars on a lane for each busy thread and stream, few enough for a page.

A step may hold a hundred thousand events and a page is a thousand pixels wide: what is narrower
than a pixel is drawn together with its neighbours, and as many shapes are drawn as a browser
handles without effort, no more.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass

import numpy as np

from guide.explain.answer import printable
from guide.explain.trace import CATEGORIES, DEVICE, Ints, Trace, Window, covered_ns, union
from guide.plugin import Verdict
from guide.units import duration, percent

PIXELS = 1200
"""How wide a page is taken to be."""

PINNED = 6
"""Verdicts that are pinned: there are so many colours."""

COLOURS = {
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
"""Classes of report.css by category; spans are told apart by their names."""

_SPANS = ("g0", "g2", "g3", "g4", "g7", "g1")
"""Those that spans have: not the grey of what has no name, nor a red that means idle."""

_MOST = 1500  # shapes
_THREADS, _STREAMS = 4, 4  # lanes
_DEEPEST = 4  # rows of a lane
_NEAR_TYPICAL = 0.3  # a step whose length is so near to the typical one's may stand for it
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
        for v in verdicts[:PINNED]
    ]
    shown = np.zeros(len(near), np.int64)
    starts, ends = np.array([step[:2] for step in near], np.int64).T
    for cover in pins:
        shown += covered_ns(cover, starts, ends) > 0
    best = shown.max()
    of_best = [step for step, count in zip(near, shown, strict=True) if count == best]
    return min(of_best, key=lambda step: (abs(step.ns - typical.ns), step.start_ns))


def span_colours(trace: Trace) -> dict[str, str]:
    """The class of each span's colour, by its name: as many that differ as there are.

    It is the same wherever the span is shown.
    """
    spans = trace.events.of("span")
    names = np.unique(trace.events.name[spans]).tolist()
    return {trace.events.names[n]: _SPANS[i % len(_SPANS)] for i, n in enumerate(names)}


def lanes_of(trace: Trace, step: Window) -> list[Lane]:
    """What is drawn of a step: the device as a whole, its busiest streams, the busiest threads."""
    events = trace.events
    last = np.searchsorted(events.start_ns, step.end_ns)
    inside = np.flatnonzero(events.end_ns[:last] > step.start_ns)
    device = inside[np.isin(inside, events.of(*DEVICE))]
    host = inside[np.isin(inside, events.of(*_HOST))]
    if not len(host) and not len(device):
        host = inside
    host = _telling(trace, host)
    rows = {}
    for track in _busiest(trace, step, device, _STREAMS):
        rows[track] = _rows(trace, device[events.track[device] == track], 1)
    for track in _busiest(trace, step, host, _THREADS):
        below = _rows(trace, host[events.track[host] == track], _DEEPEST)
        rows[track] = [*rows.get(track, ()), *below]
    least_ns = step.ns / PIXELS
    lanes = [_lane(trace, step, track, held, least_ns) for track, held in rows.items()]
    while sum(len(lane.shapes) for lane in lanes) > _MOST:
        least_ns *= 1.6
        lanes = [_lane(trace, step, track, held, least_ns) for track, held in rows.items()]
    if len(device):
        lanes.insert(0, _gpu(union(events.start_ns[device], events.end_ns[device]), step))
    return lanes


def _busiest(trace: Trace, step: Window, among: Ints, most: int) -> list[int]:
    """The tracks that were busy longest, the longest first; before them that of the steps."""
    events, busy = trace.events, {}
    for track in np.unique(events.track[among]):
        own = among[events.track[among] == track]
        starts, ends = union(events.start_ns[own], events.end_ns[own])
        busy[int(track)] = int((ends - starts).sum())
    kept = sorted(busy, key=lambda track: (-busy[track], track))[:most]
    kept = [track for track in kept if busy[track] >= _LEAST * step.ns] or kept[:1]
    named = [*events.of("tick")[:1], *events.named("ProfilerStep#", among=among)[:1]]
    first = {int(events.track[i]) for i in named}
    return sorted(kept, key=lambda track: (track not in first, -busy[track], track))


def _telling(trace: Trace, among: Ints) -> Ints:
    """Without functions of Python's where there is something better to show.

    They are dozens deep, and a thread that does nothing sits in four of them all the time.
    """
    better = trace.events.category[among] != CATEGORIES.index("python")
    return among[better] if better.any() else among


def _rows(trace: Trace, among: Ints, deepest: int) -> list[Ints]:
    """Events of one track in rows: what lies inside of something comes to lie below it."""
    if deepest == 1:  # side by side on one stream
        return [among]
    rows: list[list[int]] = [[] for _ in range(deepest)]
    ends: list[int] = []
    starts, stops = trace.events.start_ns[among].tolist(), trace.events.end_ns[among].tolist()
    for index, start, end in zip(among.tolist(), starts, stops, strict=True):
        row = next((r for r, until in enumerate(ends) if until <= start), len(ends))
        ends[row:] = [end]
        if row < deepest:
            rows[row].append(index)
    return [np.array(row, np.int64) for row in rows if row]


def _lane(trace: Trace, step: Window, track: int, rows: Sequence[Ints], least_ns: float) -> Lane:
    shapes = [
        shape for row, held in enumerate(rows) for shape in _bars(trace, step, held, row, least_ns)
    ]
    named = str(trace.events.tracks[track])
    return Lane(_lane_name(trace, named), max(len(rows), 1), tuple(shapes), named)


def _lane_name(trace: Trace, track: str) -> str:
    named = printable(trace.threads.get(track, ""))
    # Torch says "thread 41 (python)" of every one
    return named.partition(" (")[0] or f"thread {printable(track.rpartition('/')[2])}"


def _bars(trace: Trace, step: Window, held: Ints, row: int, least_ns: float) -> Iterator[Shape]:
    """Bars for events of one row; neighbours that are narrower than `least_ns` become one."""
    events, colours = trace.events, span_colours(trace)
    starts, ns = events.start_ns[held], events.ns[held]
    until = np.maximum.accumulate(events.end_ns[held])
    wide = ns >= least_ns
    apart = wide[1:] | wide[:-1] | (starts[1:] - until[:-1] > least_ns)
    firsts = np.concatenate(([0], np.flatnonzero(apart) + 1))
    for first, end in zip(firsts.tolist(), [*firsts[1:].tolist(), len(held)], strict=True):
        group = held[first:end]
        begin, close = int(starts[first]), int(events.end_ns[group].max())
        total = int(ns[first:end].sum())
        name = _commonest(trace, group)
        text = f"{name}, {duration(total)}"
        if len(group) > 1:
            text = f"{len(group):,} events, {duration(total)} in all, most of them {name}"
        words = name if wide[first] else ""
        dense = min(max(round(total / max(close - begin, 1), 1), 0.3), 1.0)
        css = _colour(trace, int(group[0]), colours)
        start, end_ns = max(begin, step.start_ns), min(close, step.end_ns)
        yield Shape(start, end_ns, row, css, words, text[:200], dense)


def _commonest(trace: Trace, group: Ints) -> str:
    names, counts = np.unique(trace.events.name[group], return_counts=True)
    return printable(trace.events.names[int(names[np.argmax(counts)])])


def _colour(trace: Trace, index: int, spans: Mapping[str, str]) -> str:
    kind = CATEGORIES[trace.events.category[index]]
    return COLOURS.get(kind) or spans.get(trace.events.names[trace.events.name[index]], "g6")


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
