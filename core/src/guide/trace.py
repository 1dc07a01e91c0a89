"""The timeline as a file that Perfetto (https://ui.perfetto.dev) and chrome://tracing open.

The format is Chrome's trace events: complete events ("X") for spans, instants ("i"), counters
("C"), flows ("s", "t", "f") from span to span of one frame. Spans of one lane nest or follow each
other, as Perfetto demands of one thread; a lane that breaks this is spread over as many rows as it
needs, because Perfetto would silently drop what overlaps.
"""

from __future__ import annotations

import json
import math
from collections import defaultdict
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import IO, Any

from guide.loop import TickRecord
from guide.timing import SpanRecord, Timeline

_PID = 1


def write_trace(file: Path, name: str, timeline: Timeline, ticks: Sequence[TickRecord]) -> None:
    """Write spans, marks, counters and ticks of a run as Chrome trace JSON.

    Times are microseconds with the nanoseconds as decimals, from the earliest event on: small
    numbers keep their decimals where time since 1970 would lose them.
    """
    with file.open("w", encoding="utf-8") as out:
        dump_trace(out, name, timeline, ticks)


def dump_trace(out: IO[str], name: str, timeline: Timeline, ticks: Sequence[TickRecord]) -> None:
    """Like `write_trace`, into an open text file."""
    out.write('{"displayTimeUnit":"ms","traceEvents":[\n')
    separator = ""
    for event in _events(name, timeline, ticks):
        out.write(separator + json.dumps(event, separators=(",", ":")))
        separator = ",\n"
    out.write("\n]}\n")


def _events(name: str, timeline: Timeline, ticks: Sequence[TickRecord]) -> Iterator[dict[str, Any]]:
    spans = timeline.spans()
    # due, not start: a deadline may lie before the start of a tick that began late
    starts = [t.due_ns for t in ticks] + [s.start_ns for s in spans]
    starts += [m.t_ns for m in timeline.marks()] + [c.t_ns for c in timeline.counters()]
    origin = min(starts, default=0)

    def us(t_ns: int) -> float:
        return (t_ns - origin) / 1000

    def meta(kind: str, tid: int, value: str) -> dict[str, Any]:
        return {"ph": "M", "name": kind, "pid": _PID, "tid": tid, "args": {"name": value}}

    yield meta("process_name", 0, name)
    yield meta("thread_name", 1, "ticks")
    for tick in ticks:
        yield {
            "ph": "X",
            "name": "tick",
            "pid": _PID,
            "tid": 1,
            "ts": us(tick.start_ns),
            "dur": tick.work_ns / 1000,
            "args": {"index": tick.index, "late_us": (tick.start_ns - tick.due_ns) / 1000},
        }
        if tick.missed:
            at = us(tick.deadline_ns or 0)
            missed = {"ph": "i", "s": "p", "name": "deadline missed", "pid": _PID, "tid": 1}
            yield {**missed, "ts": at}
    lanes: dict[int | str, list[SpanRecord]] = defaultdict(list)
    for span in spans:
        lanes[span.lane].append(span)
    tid = 2
    flows: dict[int, list[dict[str, Any]]] = defaultdict(list)
    for lane, of_lane in lanes.items():
        label = timeline.lanes.get(lane) or (lane if isinstance(lane, str) else f"thread {lane}")
        for row in _rows(of_lane):
            yield meta("thread_name", tid, label)
            for span in row:
                event = {
                    "ph": "X",
                    "name": span.name,
                    "pid": _PID,
                    "tid": tid,
                    "ts": us(span.start_ns),
                    "dur": (span.end_ns - span.start_ns) / 1000,
                    "args": {"tick": span.tick},
                }
                if span.flow is not None:
                    event["args"] = {"tick": span.tick, "flow": int(span.flow)}
                    flows[int(span.flow)].append(event)
                yield event
            tid += 1
    for flow, stops in flows.items():
        yield from _arrows(flow, stops)
    for mark in timeline.marks():
        what = {"ph": "i", "s": "p", "name": mark.name, "pid": _PID, "tid": 1}
        yield {**what, "ts": us(mark.t_ns)}
    for sample in timeline.counters():
        if not math.isfinite(sample.value):
            continue  # JSON has no way to say it
        what = {"ph": "C", "name": sample.name, "pid": _PID, "ts": us(sample.t_ns)}
        yield {**what, "args": {"value": sample.value}}


def _arrows(flow: int, stops: list[dict[str, Any]]) -> Iterator[dict[str, Any]]:
    """Flow events that lead from each span of one frame to the next, across threads."""
    if len(stops) < 2:
        return
    stops.sort(key=lambda event: event["ts"])
    for i, stop in enumerate(stops):
        phase = "s" if i == 0 else "f" if i == len(stops) - 1 else "t"
        arrow = {"ph": phase, "id": flow, "name": "frame", "cat": "flow", "bp": "e"}
        yield {**arrow, "pid": _PID, "tid": stop["tid"], "ts": stop["ts"]}


def _rows(spans: Sequence[SpanRecord]) -> list[list[SpanRecord]]:
    """Spread spans over rows so that within a row they nest or follow one another."""
    rows: list[list[SpanRecord]] = []
    open_ends: list[list[int]] = []  # of each row: ends of the spans that are open, outermost first
    for span in sorted(spans, key=lambda s: (s.start_ns, -s.end_ns)):
        for row, ends in zip(rows, open_ends, strict=True):
            while ends and ends[-1] <= span.start_ns:
                ends.pop()
            if not ends or span.end_ns <= ends[-1]:
                row.append(span)
                ends.append(span.end_ns)
                break
        else:
            rows.append([span])
            open_ends.append([span.end_ns])
    return rows
