"""The timeline as Perfetto's own protobuf, written at the speed of the disk: 24 bytes an event.

Protobuf takes a number in more bytes than it needs (0x81 0x80 0x00 is 1), and so every event of a
kind can have the same size. That makes them rows of one array of bytes, which numpy fills column
by column. A million spans take a third of a second and no object each.

Times are Unix ns, on the clock that Perfetto calls REALTIME. The first packet says how that relates
to the clock traces are drawn on, BOOTTIME: who changes that packet (`merge.py`) moves the whole
trace on a timeline that it shares.

https://perfetto.dev/docs/reference/trace-packet-proto,
https://perfetto.dev/docs/reference/synthetic-track-event
"""

from __future__ import annotations

import math
from collections import defaultdict
from collections.abc import Iterable
from typing import IO, TYPE_CHECKING, Any

from guide.trace.recording import PID

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    from guide.trace.recording import Recording, Row

    Matrix = NDArray[np.uint8]  # a row of bytes for each event

_REALTIME, _BOOTTIME = 1, 6
_BEGIN, _END, _INSTANT, _COUNTER = (b"\x48\x01", b"\x48\x02", b"\x48\x03", b"\x48\x04")
_CHUNK = 1 << 15  # events: what is worked on at a time stays in the cache


def dump_pftrace(out: IO[bytes], recording: Recording) -> None:
    """Write a recording into an open file."""
    _Writer(out, recording).write()


class _Writer:
    """Writes a recording, track after track; `_track` says once what holds for all of one."""

    def __init__(self, out: IO[bytes], recording: Recording) -> None:
        self._out = out
        self._recording = recording
        self._offset_ns = recording.unix_offset_ns
        self._salt = recording.salt
        self._tracks = 0

    def write(self) -> None:
        self._out.write(clock_packet(0))
        self._instants()
        self._ticks()
        for row in self._recording.rows():
            self._row(row)
        self._counters()

    def _track(self, descriptor: bytes, names: Iterable[str]) -> None:
        """Begin a track, the first being the process's: what is said of it holds up to the next.

        Args:
            descriptor: what it is, as fields of TrackDescriptor.
            names: of its events; the first is number 1.
        """
        uuid = self._salt + self._tracks
        parent = _field(5, self._salt) if self._tracks else b""
        self._tracks += 1
        self._out.write(_packet(_field(60, _field(1, uuid) + parent + descriptor)))
        defaults = _field(58, _REALTIME) + _field(11, _field(11, uuid))
        kinds = ((2, names), (3, ("index", "late_us")))
        interned = b"".join(
            _field(kind, _field(1, number) + _field(2, name))
            for kind, of_kind in kinds
            for number, name in enumerate(of_kind, 1)
        )
        state = _field(10, 1) + _field(13, 3) + _field(59, defaults) + _field(12, interned)
        self._out.write(_packet(state))

    def _thread(self, label: str, names: Iterable[str]) -> None:
        thread = _field(1, PID) + _field(2, self._tracks) + _field(5, label)
        self._track(_field(4, thread), names)

    def _events(self, t_ns: NDArray[np.int64], *body: bytes | Matrix) -> Matrix:
        """Packets with a TrackEvent each, `body` being the fields of that."""
        stamp = _varints(t_ns + self._offset_ns, 9)
        event = _joined(len(t_ns), *body)
        size = event.shape[1]
        head = b"\x0a" + bytes([size + 16]) + b"\x40"
        return _joined(len(t_ns), head, stamp, b"\x50\x01\x68\x02\x5a" + bytes([size]), event)

    def _row(self, row: Row) -> None:
        import numpy as np

        spans = self._recording.spans
        used = np.flatnonzero(np.bincount(spans.name[row.span]))
        numbers = np.zeros(len(spans.names), np.intp)
        numbers[used] = np.arange(1, len(used) + 1)
        self._thread(row.label, [spans.names[name] for name in used])
        # Five bytes either way: end in five; or begin in one, and its name's number in four.
        kinds = _joined(len(used) + 1, _BEGIN[1:] + b"\x50", _varints(range(len(used) + 1), 3))
        kinds[0] = np.frombuffer(b"\x82\x80\x80\x80\x00", np.uint8)
        for i in range(0, len(row.span), _CHUNK):
            part = slice(i, i + _CHUNK)
            span, begins = row.span[part], row.begins[part]
            kind = np.where(begins, numbers[spans.name[span]], 0)
            flow = np.where(begins, spans.flow[span], -1)
            events = self._events(row.t_ns[part], _BEGIN[:1], kinds[kind])
            self._out.write(_with_flows(events, flow, self._salt).data)

    def _ticks(self) -> None:
        import numpy as np

        ticks = self._recording.ticks
        self._thread("ticks", ["tick"])
        index = _varints(ticks.first + np.arange(len(ticks.start_ns)), 5)
        late_us = _doubles((ticks.start_ns - ticks.due_ns) / 1000)
        notes = (b"\x22\x08\x08\x01\x20", index, b"\x22\x0b\x08\x02\x29", late_us)
        begin = self._events(ticks.start_ns, _BEGIN + b"\x50\x01", *notes)
        self._out.write(np.hstack((begin, self._events(ticks.end_ns, _END))).data)

    def _instants(self) -> None:
        import numpy as np

        marks, missed_ns = self._recording.marks, self._recording.missed_ns()
        names = ["deadline missed", *dict.fromkeys(mark.name for mark in marks)]
        numbers = {name: number for number, name in enumerate(names, 1)}
        process = _field(1, PID) + _field(8, self._recording.label)
        self._track(_field(3, process + _field(6, self._recording.name)), names)
        t_ns = np.array([*missed_ns, *(mark.t_ns for mark in marks)], np.int64)
        name = [*(1 for _ in missed_ns), *(numbers[mark.name] for mark in marks)]
        self._out.write(self._events(t_ns, _INSTANT + b"\x50", _varints(name, 5)).data)

    def _counters(self) -> None:
        import numpy as np

        samples: dict[str, list[tuple[int, float]]] = defaultdict(list)
        for name, t_ns, value in self._recording.counters:
            if math.isfinite(value):
                samples[name].append((t_ns, value))
        for name, of_name in samples.items():
            times, values = zip(*of_name, strict=True)
            level = _doubles(values)
            self._track(_field(2, name) + _field(8, b""), ())
            self._out.write(self._events(np.array(times), _COUNTER + b"\xe1\x02", level).data)


def clock_packet(epoch_ns: int) -> bytes:
    """The packet that says where 1970 is on the clock traces are drawn on; always of one size."""
    at_ns = 1 << 61  # any instant will do
    clocks = ((_REALTIME, at_ns), (_BOOTTIME, at_ns + epoch_ns))
    readings = (
        _field(1, clock) + b"\x10" + _varints([t_ns], 9).tobytes() for clock, t_ns in clocks
    )
    snapshot = b"".join(_field(1, reading) for reading in readings)
    return _packet(_field(10, 1) + _field(6, snapshot))


def _with_flows(events: Matrix, flow: NDArray[np.int64], salt: int) -> NDArray[Any]:
    """Events of spans, those of a flow lengthened by its number: 16 bytes."""
    import numpy as np

    has = flow >= 0
    if not has.any():
        return events
    events[has, 1] += 16
    events[has, 17] += 16
    events[has, 23] |= 128  # the name's number goes on for six more bytes, to fill a word
    words = np.empty((len(flow), 5), "<u8")
    words[:, :3] = events.view("<u8")
    words[:, 3] = int.from_bytes(b"\x80\x80\x80\x80\x80\x00\xf9\x02", "little")
    words[:, 4] = flow + salt
    keep = np.ones(words.shape, bool)
    keep[~has, 3:] = False
    return words[keep]


def _joined(n: int, *parts: bytes | Matrix) -> Matrix:
    """`n` rows of bytes, side by side; those that are given once are the same in each."""
    import numpy as np

    sizes = [len(part) if isinstance(part, bytes) else part.shape[1] for part in parts]
    rows = np.empty((n, sum(sizes)), np.uint8)
    at = 0
    for part, size in zip(parts, sizes, strict=True):
        rows[:, at : at + size] = np.frombuffer(part, np.uint8) if isinstance(part, bytes) else part
        at += size
    return rows


def _varints(values: Any, size: int) -> Matrix:
    """Numbers that are not negative as varints of `size` bytes, whatever they would need."""
    import numpy as np

    left = np.array(values, np.uint64)
    x = left & np.uint64((1 << 56) - 1)  # eight groups of 7 bits, parted in three steps
    for bits, gap, low in (
        (28, 4, 0x000000000FFFFFFF),
        (14, 2, 0x00003FFF00003FFF),
        (7, 1, 0x007F007F007F007F),
    ):
        mask = np.uint64(low)
        x = (x & mask) | ((x & (mask << np.uint64(bits))) << np.uint64(gap))
    x |= np.uint64(0x8080808080808080)
    out = np.zeros((len(left), max(size, 8)), np.uint8)
    out[:, :8] = x.astype("<u8").view(np.uint8).reshape(-1, 8)
    if size > 8:
        out[:, 8] = left >> np.uint64(56)
    out[:, size - 1] &= 127
    return out[:, :size]


def _doubles(values: Any) -> Matrix:
    import numpy as np

    return np.array(values, "<f8").view(np.uint8).reshape(-1, 8)


def _varint(value: int) -> bytes:
    out = []
    while value > 127:
        out.append(value & 127 | 128)
        value >>= 7
    return bytes([*out, value])


def _field(number: int, value: int | str | bytes) -> bytes:
    if isinstance(value, int):
        return _varint(number << 3) + _varint(value)
    data = value.encode("utf-8", "backslashreplace") if isinstance(value, str) else value
    return _varint(number << 3 | 2) + _varint(len(data)) + data


def _packet(fields: bytes) -> bytes:
    return _field(1, fields)
