"""PLY, the Stanford polygon format: as text, or binary in either byte order.

A header names elements (`element vertex 8`) and the properties each one has; the body holds the
elements in that order, row by row. A property is a number, or a list that begins with its length.
Format: Greg Turk, "The PLY Polygon File Format", 1994.
"""

from __future__ import annotations

import re
import struct
from dataclasses import dataclass, field, replace

import numpy as np

from guide_graphics.raster.meshes.geometry import F64, I64, Geometry, fan, numbers

# Letters that mean the same to struct and to numpy
_TYPES = {"char": "b", "uchar": "B", "short": "h", "ushort": "H", "int": "i", "uint": "I"}
_TYPES |= {"int8": "b", "uint8": "B", "int16": "h", "uint16": "H", "int32": "i", "uint32": "I"}
_TYPES |= {"float": "f", "double": "d", "float32": "f", "float64": "d"}
_ORDERS = {"ascii": "=", "binary_little_endian": "<", "binary_big_endian": ">"}
_END = re.compile(rb"[\r\n]end_header[ \t]*(?:\r\n|\n|\r)")
_UV = (("u", "v"), ("s", "t"), ("texture_u", "texture_v"))


@dataclass(frozen=True)
class _Property:
    name: str
    item: str  # byte order and letter
    length: str = ""  # the same for the length of a list; empty for a single number


@dataclass(frozen=True)
class _Element:
    name: str
    count: int
    properties: list[_Property] = field(default_factory=list)


# Of one property: all its numbers, and how many of them each row has
_Column = tuple[F64, I64]


def read_ply(data: bytes) -> Geometry:
    """The surface in a PLY file: its elements `vertex` and `face`.

    Raises:
        ValueError: when the header makes no sense or tells of more than there is.
    """
    elements, text, start = _header(data)
    body = memoryview(data)[start:]
    if text:
        # Turned into numbers at once, it is a binary body in which everything is a double
        words = sum(element.count * len(element.properties) for element in elements)
        if words > (len(body) + 1) // 2:
            raise ValueError(f"its header tells of {words} numbers, and {len(body)} bytes follow")
        elements = [_doubles(element) for element in elements]
        body = numbers(data[start:]).view(np.uint8).data
    at = 0
    found: dict[str, dict[str, _Column]] = {"vertex": {}, "face": {}}
    for element in elements:
        found[element.name], at = _columns(body, at, element)
    return _geometry(found["vertex"], found["face"])


def _header(data: bytes) -> tuple[list[_Element], bool, int]:
    """The elements, whether the body is text, and where it begins."""
    end = _END.search(data)
    if not data.startswith(b"ply") or end is None:
        raise ValueError("its header has no beginning or no end")
    order, elements = "", list[_Element]()
    for line in re.split(r"[\r\n]+", data[: end.start()].decode("ascii", "replace")):
        try:
            match line.split():
                case ["format", name, *_]:
                    order = _ORDERS[name]
                case ["element", name, count] if order:
                    elements.append(_Element(name, int(count)))
                case ["property", *words]:
                    elements[-1].properties.append(_property(words, order))
        except (KeyError, ValueError, IndexError):
            raise ValueError(f"its header says {line[:40]!r}") from None
    if not order or any(element.count < 0 for element in elements):
        raise ValueError("its header names no format, or less than none of an element")
    return elements, order == "=", end.end()


def _property(words: list[str], order: str) -> _Property:
    if words[0] == "list":
        _, length, item, name = words
        return _Property(name, order + _TYPES[item], order + _TYPES[length])
    item, name = words
    return _Property(name, order + _TYPES[item])


def _doubles(element: _Element) -> _Element:
    doubles = [replace(p, item="=d", length="=d" if p.length else "") for p in element.properties]
    return replace(element, properties=doubles)


def _columns(body: memoryview, at: int, element: _Element) -> tuple[dict[str, _Column], int]:
    """The columns of an element whose first row begins at byte `at`, and where its last ends."""
    properties, rows = element.properties, element.count
    least = sum(struct.calcsize(p.length or p.item) for p in properties)
    if rows * least > len(body) - at:
        raise ValueError(
            f"it tells of {rows} of {element.name}, more than its {len(body)} bytes hold"
        )
    if not rows or not properties:
        return {p.name: (np.empty(0), np.empty(0, np.int64)) for p in properties}, at
    fields, end = _row(body, at, properties)
    width = end - at
    if at + rows * width <= len(body) and _alike(body, properties, fields, rows, width):
        return {
            p.name: (
                np.ndarray((rows, many), p.item, body, begin, (width, struct.calcsize(p.item)))
                .astype(np.float64)
                .ravel(),
                np.full(rows, many),
            )
            for p, (begin, many) in zip(properties, fields, strict=True)
        }, at + rows * width
    return _uneven(body, at, element)


def _row(
    body: memoryview, at: int, properties: list[_Property]
) -> tuple[list[tuple[int, int]], int]:
    """Where the numbers of each property begin, how many they are; and the end of the row."""
    fields = []
    for p in properties:
        many = 1
        if p.length:
            size = struct.calcsize(p.length)
            if at + size > len(body):
                raise ValueError("it ends in the middle")
            (length,) = struct.unpack_from(p.length, body, at)
            if not (0 <= length <= len(body) and length == int(length)):  # nor is it NaN
                raise ValueError(f"a list in it is {length} long")
            many = int(length)
            at += size
        fields.append((at, many))
        at += many * struct.calcsize(p.item)
    if at > len(body):
        raise ValueError("it ends in the middle")
    return fields, at


def _alike(
    body: memoryview,
    properties: list[_Property],
    fields: list[tuple[int, int]],
    rows: int,
    width: int,
) -> bool:
    """Whether the lists of every row are as long as those of the first."""
    for p, (begin, many) in zip(properties, fields, strict=True):
        if p.length:
            place = begin - struct.calcsize(p.length)
            if (np.ndarray(rows, p.length, body, place, (width,)) != many).any():
                return False
    return True


def _uneven(body: memoryview, at: int, element: _Element) -> tuple[dict[str, _Column], int]:
    """As `_columns`, for rows of differing length: each is known only after the one before it."""
    table = []
    for _ in range(element.count):
        fields, at = _row(body, at, element.properties)
        table.append(fields)
    places = np.array(table, np.int64)  # (rows, properties, 2)
    octets = np.frombuffer(body, np.uint8)
    columns = {}
    for index, p in enumerate(element.properties):
        begin, many = places[:, index].T
        size = struct.calcsize(p.item)
        within = np.arange(many.sum()) - np.repeat(np.cumsum(many) - many, many)
        first = np.repeat(begin, many) + within * size
        items = octets[first[:, None] + np.arange(size)]
        columns[p.name] = (items.view(p.item).ravel().astype(np.float64), many)
    return columns, at


def _geometry(vertex: dict[str, _Column], face: dict[str, _Column]) -> Geometry:
    positions = _table(vertex, ("x", "y", "z"))
    if positions is None:
        raise ValueError("its vertices have no x, y and z")
    corners, counts = face.get("vertex_indices") or face.get("vertex_index") or (np.empty(0),) * 2
    if (corners != np.trunc(corners)).any():
        raise ValueError("a face names a vertex by a broken number")
    uv = (_table(vertex, names) for names in _UV)
    return Geometry(
        positions,
        fan(corners.astype(np.int64), counts.astype(np.int64)),
        _table(vertex, ("nx", "ny", "nz")),
        next((table for table in uv if table is not None), None),
    )


def _table(vertex: dict[str, _Column], names: tuple[str, ...]) -> F64 | None:
    """Numbers side by side; None unless every vertex has one of each."""
    if not all(name in vertex and (vertex[name][1] == 1).all() for name in names):
        return None
    return np.stack([vertex[name][0] for name in names], axis=1)
