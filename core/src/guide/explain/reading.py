"""From a file of trace events to a `Trace`: a stream, so that memory is bounded.

https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
"""

from __future__ import annotations

import gzip
import json
import zlib
from array import array
from collections.abc import Iterator
from pathlib import Path
from typing import IO, Any

import numpy as np

from guide.errors import GuideError
from guide.explain.trace import CATEGORIES, Events, Trace, Window

_BLOCK = 1 << 20
_SPACE = " \t\r\n"
_WARM_UP = 1.3  # a first step that takes this many times the median is a warm-up

_KNOWN = {
    "cpu_op": "op",
    "operator": "op",
    "cuda_runtime": "runtime",
    "cuda_driver": "runtime",
    "hip_runtime": "runtime",
    "runtime": "runtime",
    "kernel": "kernel",
    "gpu_memcpy": "memcpy",
    "memcpy": "memcpy",
    "gpu_memset": "memset",
    "memset": "memset",
    "user_annotation": "annotation",
    "gpu_user_annotation": "device annotation",
    "python_function": "python",
}


def read_trace(file: Path) -> Trace:
    """Read a trace that torch's profiler or a run of ours wrote, plain or gzipped.

    Raises:
        GuideError: when it is none.
    """
    columns = _Columns()
    about: dict[str, Any] = {}
    try:
        with _opened(file) as source:
            for key, value in _parts(source):
                if key is None:
                    columns.add(value)
                elif len(repr(value)) < 4096:
                    about[key] = value
    except OSError as error:
        raise GuideError(f"{file}: {error.strerror or error}", "name a trace") from None
    except (EOFError, zlib.error, gzip.BadGzipFile, ValueError, RecursionError):
        columns.missing.append("the file is cut short or damaged; this is what could be read")
    return columns.trace(str(file), about)


def _opened(file: Path) -> IO[str]:
    with file.open("rb") as plain:
        zipped = plain.read(2) == b"\x1f\x8b"
    opener: Any = gzip.open if zipped else open
    text: IO[str] = opener(file, "rt", encoding="utf-8", errors="replace")
    return text


def _parts(source: IO[str]) -> Iterator[tuple[str | None, Any]]:
    """The file's top-level entries by key; the events of "traceEvents" one by one, without."""
    decode = json.JSONDecoder().raw_decode
    buffer, at = "", 0
    in_events = False

    def more() -> bool:
        nonlocal buffer, at
        block = source.read(_BLOCK)
        buffer, at = buffer[at:] + block, 0
        return bool(block)

    def skip() -> str:
        nonlocal at
        while True:
            while at < len(buffer) and buffer[at] in _SPACE:
                at += 1
            if at < len(buffer):
                return buffer[at]
            if not more():
                return ""

    def value() -> Any:
        nonlocal at
        while True:
            try:
                found, end = decode(buffer, at)
            except ValueError:
                if not more():
                    raise
                continue
            # A number at the very end may go on in the next block
            if end == len(buffer) and more():
                continue
            at = end
            return found

    first = skip()
    if first == "[":
        in_events = True
    elif first != "{":
        raise ValueError("no JSON")
    at += 1
    while True:
        mark = skip()
        if mark == "":
            raise ValueError("cut short")
        if mark == ",":
            at += 1
        elif in_events and mark == "]":
            at += 1
            in_events = False
            if first == "[":
                return
        elif in_events:
            yield None, value()
        elif mark == "}":
            return
        else:
            key = value()
            if skip() != ":":
                raise ValueError("no JSON")
            at += 1
            if skip() == "[" and key == "traceEvents":
                at += 1
                in_events = True
            else:
                yield str(key), value()


class _Columns:
    """Collects events as they come."""

    def __init__(self) -> None:
        self.start_ns, self.end_ns = array("q"), array("q")
        self.columns = {
            key: array("q")
            for key in ("name", "category", "track", "correlation", "device", "bytes", "shape")
        }
        self.names: dict[str, int] = {}
        self.tracks: dict[str, int] = {}
        self.shapes: dict[str, int] = {}
        self.threads: dict[str, str] = {}
        self.missing: list[str] = []
        self.ours = False

    def add(self, event: Any) -> None:
        """Take in one event; what is no complete event with a time is left out."""
        if not isinstance(event, dict):
            return
        phase, args = event.get("ph"), event.get("args")
        args = args if isinstance(args, dict) else {}
        track = f"{event.get('pid')}/{event.get('tid')}"
        if phase == "M":
            if event.get("name") == "thread_name":
                self.threads[track] = str(args.get("name", ""))
            return
        if phase != "X":
            return
        ts, dur = event.get("ts"), event.get("dur", 0)
        if not isinstance(ts, int | float) or not isinstance(dur, int | float) or dur < 0:
            return
        start = round(ts * 1000)
        self.start_ns.append(start)
        self.end_ns.append(start + round(dur * 1000))
        name = str(event.get("name", ""))
        columns = self.columns
        columns["name"].append(self.names.setdefault(name, len(self.names)))
        columns["category"].append(CATEGORIES.index(_category(event.get("cat"), name)))
        columns["track"].append(self.tracks.setdefault(track, len(self.tracks)))
        for key, said in (("correlation", "correlation"), ("device", "device"), ("bytes", "bytes")):
            number = args.get(said)
            columns[key].append(number if isinstance(number, int) else -1)
        dims = args.get("Input Dims")
        shape = -1 if dims is None else self.shapes.setdefault(repr(dims), len(self.shapes))
        columns["shape"].append(shape)

    def trace(self, source: str, about: dict[str, Any]) -> Trace:
        """What was collected, sorted, in steps."""
        start, end = (np.array(column, np.int64) for column in (self.start_ns, self.end_ns))
        if not len(start):
            raise GuideError(
                f"{source} is no trace",
                "torch writes one: prof.export_chrome_trace('torch.json')",
            )
        order = np.lexsort((-end, start))
        first = start[order[0]]
        columns = {key: np.array(column, np.int64)[order] for key, column in self.columns.items()}
        events = Events(
            start[order] - first,
            end[order] - first,
            **columns,
            names=list(self.names),
            tracks=list(self.tracks),
            shapes=list(self.shapes),
        )
        steps, stepped = _steps(events)
        missing = tuple(self.missing)
        return Trace(source, events, steps, stepped, about, dict(self.threads), missing)


def _category(said: Any, name: str) -> str:
    if said is None:
        return "tick" if name == "tick" else "span"
    return _KNOWN.get(str(said).lower(), "other")


def _steps(events: Events) -> tuple[tuple[Window, ...], bool]:
    found = events.named("ProfilerStep#", among=events.of("annotation", "op"))
    if not len(found):
        found = events.of("tick")
    windows = [
        Window(int(events.start_ns[i]), int(events.end_ns[i]), events.name_of(i)) for i in found
    ]
    windows = [window for window in windows if window.ns > 0]
    if len(windows) > 1:
        middle = sorted(window.ns for window in windows)[len(windows) // 2]
        if windows[0].ns > _WARM_UP * middle:
            del windows[0]
    if windows:
        return tuple(windows), True
    device = events.of("kernel", "memcpy", "memset")
    among = device if len(device) else np.arange(len(events))
    whole = Window(int(events.start_ns[among].min()), int(events.end_ns[among].max()))
    return (whole,), False
