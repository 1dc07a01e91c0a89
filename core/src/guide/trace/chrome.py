"""The timeline as Chrome's trace events: JSON that Perfetto and chrome://tracing open.

Complete events ("X") for spans, bound to each other where they work on one frame; instants ("i")
and counters ("C"). Times are microseconds since `baseTimeNanoseconds`, as torch's profiler has it:
small numbers keep their nanoseconds as decimals, where time since 1970 would lose them.

https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
"""

from __future__ import annotations

import json
import math
from collections.abc import Iterator
from typing import IO, TYPE_CHECKING, Any

from guide.trace.recording import PID

if TYPE_CHECKING:
    from guide.trace.recording import Recording


def dump_chrome(out: IO[str], recording: Recording) -> None:
    """Write a recording into an open file."""
    ticks = recording.ticks
    # due, not start: a deadline may lie before the start of a tick that began late
    starts = [*ticks.due_ns.tolist(), *recording.spans.start_ns.tolist()]
    starts += [mark.t_ns for mark in recording.marks]
    starts += [sample.t_ns for sample in recording.counters]
    origin_ns = min(starts, default=0)
    base_ns = origin_ns + recording.unix_offset_ns
    out.write(f'{{"displayTimeUnit":"ms","baseTimeNanoseconds":{base_ns},"traceEvents":[\n')
    separator = ""
    # Characters as they are: Perfetto reads an escaped pair of surrogates as two of them.
    encode = json.JSONEncoder(ensure_ascii=False, separators=(",", ":")).encode
    for event in _events(recording, origin_ns):
        out.write(separator + encode({**event, "pid": PID}))
        separator = ",\n"
    out.write("\n]}\n")


def _events(recording: Recording, origin_ns: int) -> Iterator[dict[str, Any]]:
    def us(t_ns: int) -> float:
        return (t_ns - origin_ns) / 1000

    def meta(kind: str, tid: int, **args: str) -> dict[str, Any]:
        return {"ph": "M", "name": kind, "tid": tid, "args": args}

    yield meta("process_name", 0, name=recording.name)
    yield meta("process_labels", 0, labels=recording.label)
    yield meta("thread_name", 1, name="ticks")
    ticks = recording.ticks
    times = (ticks.due_ns, ticks.start_ns, ticks.end_ns)
    for i, (due, start, end) in enumerate(zip(*(t.tolist() for t in times), strict=True)):
        about = {"index": ticks.first + i, "late_us": (start - due) / 1000}
        tick = {"ph": "X", "name": "tick", "tid": 1, "ts": us(start), "dur": (end - start) / 1000}
        yield {**tick, "args": about}
    instants = [("deadline missed", t_ns) for t_ns in recording.missed_ns()]
    for name, t_ns in [*instants, *recording.marks]:
        yield {"ph": "i", "s": "p", "name": name, "tid": 1, "ts": us(t_ns)}
    for tid, (label, row) in enumerate(_rows(recording), 2):
        yield meta("thread_name", tid, name=label)
        for name, start, end, index, flow, follows, leads in row:
            span = {"ph": "X", "name": name, "tid": tid, "ts": us(start)}
            span |= {"dur": (end - start) / 1000, "args": {"tick": index}}
            if flow >= 0:
                span["args"] = {"tick": index, "flow": flow}
            if follows or leads:
                bound = hex(recording.salt + flow)
                span |= {"bind_id": bound, "flow_in": follows, "flow_out": leads}
            yield span
    for name, t_ns, value in recording.counters:
        if math.isfinite(value):  # JSON has no way to say the others
            yield {"ph": "C", "name": name, "ts": us(t_ns), "args": {"value": value}}


def _rows(recording: Recording) -> Iterator[tuple[str, Iterator[tuple[Any, ...]]]]:
    """Of each row its label and its spans, outer before inner.

    A span is its name, start, end, tick, flow, and whether that comes from an earlier span and goes
    on to a later one.
    """
    import numpy as np

    spans = recording.spans
    order = np.lexsort((spans.start_ns, spans.flow))
    flow = spans.flow[order]
    goes_on = (flow[:-1] == flow[1:]) & (flow[1:] >= 0)
    follows, leads = np.zeros((2, len(flow)), bool)
    follows[order[1:]] = leads[order[:-1]] = goes_on
    columns = (spans.start_ns, spans.end_ns, spans.tick, spans.flow, follows, leads)
    for row in recording.rows():
        chosen = row.span[row.begins]
        names = (spans.names[number] for number in spans.name[chosen])
        yield row.label, zip(names, *(column[chosen].tolist() for column in columns), strict=True)
