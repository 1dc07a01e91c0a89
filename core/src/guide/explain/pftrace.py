"""Read back the timeline that a long run writes as protobuf: `guide.trace.pftrace` says its form.

Of Perfetto's traces only those of runs of ours: their packets have one shape, and are told from
others by the first one.

https://perfetto.dev/docs/reference/trace-packet-proto
"""

from __future__ import annotations

from collections.abc import Iterator
from typing import NamedTuple

from guide.explain.columns import Columns
from guide.explain.losses import Losses
from guide.explain.trace import CATEGORIES
from guide.trace.pftrace import clock_packet

_FIRST = clock_packet(0)
_PACKET = 0x0A
_BEGIN, _END = 1, 2
_OPEN = 100_000
_LARGEST = 1 << 24  # bytes of a packet
_TICK, _SPAN = CATEGORIES.index("tick"), CATEGORIES.index("span")


def is_ours(head: bytes) -> bool:
    """Whether a file that begins so is the trace of a run."""
    return head.startswith(_FIRST)


def is_perfetto(head: bytes) -> bool:
    """Whether it is a trace of Perfetto's, of anybody: packets, one after the other."""
    at = 0
    for packets in range(3):
        if at == len(head) and packets:
            return True
        if head[at : at + 1] != bytes([_PACKET]):
            return False
        size, at = _varint(head, at + 1)
        if at < 0 or at + size > len(head):
            return packets > 1
        at += size
    return True


def read_pftrace(blocks: Iterator[bytes], columns: Columns, losses: Losses) -> None:
    """Take in the spans and ticks of a run, each row's name as its track's."""
    process = ""
    names: dict[int, str] = {}
    stack: list[tuple[int, str]] = []
    category, track = _SPAN, ""
    tracks = 0
    for packet in _packets(blocks, losses):
        event = _event(packet)
        if event is not None:
            t_ns, kind, number = event
            if kind == _BEGIN and len(stack) < _OPEN:
                stack.append((t_ns, names.get(number, "")))
            elif kind == _BEGIN or (kind == _END and not stack):
                losses.count("unmatched")
            elif kind == _END:
                start, name = stack.pop()
                columns.row(start, t_ns, name, category, track)
            continue
        fields = _fields(packet)
        if 60 in fields:
            losses.count("unmatched", len(stack))
            stack.clear()
            names = {}
            described = _fields(fields[60])
            if 3 in described:
                process = _text(_fields(described[3]), 6)
                columns.processes.add(process)
            if 4 in described:
                label = _text(_fields(described[4]), 5)
                tracks += 1
                track = f"{process}/{tracks}"
                columns.threads[track] = label
                category = _TICK if label == "ticks" and tracks == 1 else _SPAN
        if 12 in fields:
            for number, value in _each(fields[12]):
                if number == 2:
                    entry = _fields(value)
                    names[_number(entry, 1)] = _text(entry, 2)
    losses.count("unmatched", len(stack))


class _Event(NamedTuple):
    t_ns: int
    kind: int
    name: int


def _packets(blocks: Iterator[bytes], losses: Losses) -> Iterator[bytes]:
    """The packets of a file, without their heads; up to where it is cut or damaged."""
    rest = b""
    for block in blocks:
        data, at = rest + block, 0
        while at < len(data):
            if data[at] != _PACKET:
                losses.count("broken")
                return
            size, start = (data[at + 1], at + 2) if at + 1 < len(data) else (128, -1)
            if size > 127:
                size, start = _varint(data, at + 1)
            if size > _LARGEST:
                losses.count("broken")
                return
            if start < 0 or start + size > len(data):
                if len(data) - at > _LARGEST + 16:
                    losses.count("broken")
                    return
                break
            yield data[start : start + size]
            at = start + size
        rest = data[at:]
    if rest:
        losses.count("cut")


def _event(packet: bytes) -> _Event | None:
    """What a slice's packet says, all of which are laid out alike; None: it is another."""
    if len(packet) < 18 or packet[0] != 0x40 or packet[10] != 0x50 or packet[16] != 0x48:
        return None
    stamp = packet[1:10]
    t_ns = 0
    for byte in reversed(stamp):
        t_ns = t_ns << 7 | byte & 127
    number = 0
    if packet[17] == _BEGIN and packet[18:19] == b"\x50":
        number, _ = _varint(packet, 19)
    kind = packet[17] & 127
    return _Event(t_ns, kind, number)


def _each(data: bytes) -> Iterator[tuple[int, bytes]]:
    """The fields of a message: their numbers, with what they hold; a number's bytes for those."""
    at = 0
    while at < len(data):
        key, at = _varint(data, at)
        if at < 0:
            return
        start, kind = at, key & 7
        if kind == 0:
            _, at = _varint(data, at)
        elif kind == 1:
            at += 8
        elif kind == 2:
            size, start = _varint(data, at)
            at = start + size if start >= 0 else -1
        elif kind == 5:
            at += 4
        else:
            return
        if not 0 <= at <= len(data):
            return
        yield key >> 3, data[start:at]


def _fields(data: bytes) -> dict[int, bytes]:
    return dict(_each(data))


def _text(fields: dict[int, bytes], number: int) -> str:
    return fields.get(number, b"").decode("utf-8", "replace")


def _number(fields: dict[int, bytes], number: int) -> int:
    return _varint(fields.get(number, b"\0"), 0)[0]


def _varint(data: bytes, at: int) -> tuple[int, int]:
    """A number, and the index behind it; that is -1 where it does not end."""
    value = shift = 0
    while at < len(data) and shift < 70:
        byte = data[at]
        value |= (byte & 127) << shift
        at, shift = at + 1, shift + 7
        if byte < 128:
            return value, at
    return value, -1
