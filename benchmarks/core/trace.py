"""A million spans to a file, and what one takes in memory and on disk."""

from __future__ import annotations

import itertools
import json
import tempfile
import time
import tracemalloc
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.rows import Row, interleaved, with_peers
from guide.loop import TickLog
from guide.timing import Timeline
from guide.trace import write_trace

SPANS = 1_000_000
Spans = list[tuple[str, int, int, int]]  # name, start, end, lane


def rows() -> Iterator[Row]:
    """Ours against JSON and against protobuf objects, in turn."""
    with_peers()
    spans = list(_spans(SPANS))
    timeline, log = _timeline(spans), TickLog()
    with tempfile.TemporaryDirectory() as folder:
        file = Path(folder) / "peer"

        def ours() -> float:
            return _seconds(lambda: write_trace(Path(folder), "bench", timeline, log, 10**18))

        for what, peer in (("JSON", _json()), ("protobuf objects", _objects())):
            if peer is None:
                get = f"{what}: pip install --target build/peers perfetto protobuf"
                yield Row("a million spans to a file", f"{ours():.2f} s", get, None, "0.5 s", None)
                continue
            name, encode = peer
            yield _row(name, ours, _writing(file, encode, spans))
        size = (Path(folder) / "trace.pftrace").stat().st_size / SPANS
        yield Row("bytes per span in the file", f"{size:.1f} B", "", None, "60 B", size <= 60)
    held = timeline._rows
    assert held is not None
    each, tuples = held.rows.itemsize, _tuple_bytes()
    peer_text = f"list of tuples {tuples:.0f} B"
    yield Row("memory per span", f"{each} B", peer_text, each / tuples, "25 B", each <= 25)


def _row(name: str, ours: Callable[[], float], peer: Callable[[], float]) -> Row:
    seconds, theirs, ratio, spread = interleaved(ours, peer, 3)
    texts = (f"{seconds:.2f} s", f"{name} {theirs:.1f} s")
    return Row("a million spans to a file", *texts, ratio, "0.5 s", seconds <= 0.5, spread)


def _seconds(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _writing(file: Path, encode: Callable[[Spans], bytes], spans: Spans) -> Callable[[], float]:
    return lambda: _seconds(lambda: file.write_bytes(encode(spans)))


def _spans(count: int) -> Iterator[tuple[str, int, int, int]]:
    """20 names on 3 lanes, in groups of ten: one around nine."""
    names = itertools.cycle([f"name {i}" for i in range(20)])
    parts = [(start, start + 60) for start in range(100, 1_000, 100)] + [(50, 990)]
    for group in range(count // 10):
        for start, end in parts:
            yield next(names), 1_000 * group + start, 1_000 * group + end, group % 3


def _timeline(spans: Spans) -> Timeline:
    timeline = Timeline(keep=len(spans))
    for name, start, end, lane in spans:
        timeline.add(name, start, end, lane=lane)
    timeline.fold()
    return timeline


def _json() -> tuple[str, Callable[[Spans], bytes]]:
    def events(spans: Spans) -> dict[str, Any]:
        return {
            "traceEvents": [
                {"ph": "X", "name": n, "pid": 1, "tid": lane, "ts": a / 1e3, "dur": (b - a) / 1e3}
                for n, a, b, lane in spans
            ]
        }

    try:
        import orjson
    except ImportError:
        return "JSON, json", lambda spans: json.dumps(events(spans)).encode()
    return "JSON, orjson", lambda spans: orjson.dumps(events(spans))


def _objects() -> tuple[str, Callable[[Spans], bytes]] | None:
    """Perfetto's own builder, https://perfetto.dev/docs/reference/synthetic-track-event."""
    try:
        from perfetto.protos.perfetto.trace.perfetto_trace_pb2 import TrackEvent
        from perfetto.trace_builder.proto_builder import TraceProtoBuilder
    except ImportError:
        return None

    def encode(spans: Spans) -> bytes:
        builder = TraceProtoBuilder()
        numbers: dict[str, int] = {}
        for name, start, end, lane in spans:
            for kind, t_ns in (
                (TrackEvent.TYPE_SLICE_BEGIN, start),
                (TrackEvent.TYPE_SLICE_END, end),
            ):
                packet = builder.add_packet()
                packet.timestamp = t_ns
                packet.trusted_packet_sequence_id = 1
                event = packet.track_event
                event.type, event.track_uuid = kind, lane + 1
                if kind == TrackEvent.TYPE_SLICE_BEGIN:
                    event.name_iid = numbers.setdefault(name, len(numbers) + 1)
        return bytes(builder.serialize())

    return "protobuf objects", encode


def _tuple_bytes() -> float:
    """What a span takes as a tuple of name, start and end in a list."""
    tracemalloc.start()
    held = [("name", i + (1 << 40), i + (1 << 41)) for i in np.arange(100_000).tolist()]
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return size / len(held)
