"""Wavefront OBJ, read without a loop over lines.

A line is a keyword and words: `v x y z` a position, `vt u v` and `vn x y z` a texture coordinate
and a normal, `f 1/1/1 2/2/1 3/3/1` a polygon of corners, each naming one of either, counted from 1
or, when negative, back from the last one read. Everything else (groups, materials, lines, curves)
is passed over. Format: Wavefront's Advanced Visualizer manual, appendix B1.
"""

from __future__ import annotations

import codecs
import re
from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from guide_graphics.raster.meshes.geometry import F64, I64, Geometry, fan, numbers, whole_numbers
from guide_graphics.raster.scene import U8

_SPACE, _NEWLINE, _SLASH = 32, 10, 47  # every byte up to a space separates words
Flags = npt.NDArray[np.bool_]


def read_obj(data: bytes) -> Geometry:
    """The surface in an OBJ file.

    A vertex of the result is a combination of position, texture coordinate and normal that a
    corner names. Texture coordinates and normals count only when every corner has one.

    Raises:
        ValueError: when a number is none, is missing or points nowhere.
    """
    lines = _Lines.of(data)
    v, vt, vn, f = (lines.are(keyword) for keyword in (b"v", b"vt", b"vn", b"f"))
    positions = lines.table(v, b"v", 3)
    corners = _corners(lines.body(f, b"f"))
    counts = lines.words[f] - 1
    if len(corners) != counts.sum():
        raise ValueError("a face is damaged")
    vertex = _absolute(corners[:, 0], v, f, counts)
    if (vertex < 0).any():
        raise ValueError("a face names v 0, and they are counted from 1")

    named, tables = [vertex], []
    for column, (of_kind, keyword, width) in enumerate([(vt, b"vt", 2), (vn, b"vn", 3)], 1):
        index = _absolute(corners[:, column], of_kind, f, counts)
        whole = len(index) > 0 and bool((index >= 0).all())
        tables.append(lines.table(of_kind, keyword, width)[index] if whole else None)
        named += [index] if whole else []
    if len(named) == 1:
        return Geometry(positions, fan(vertex, counts))
    first, vertices = _unique(named)
    uv, normals = (None if table is None else table[first] for table in tables)
    return Geometry(positions[vertex[first]], fan(vertices, counts), normals, uv)


@dataclass(frozen=True, eq=False)
class _Lines:
    """The lines that hold anything, as places in the text."""

    text: U8
    begin: I64  # of the first word
    end: I64  # the newline
    words: I64  # how many, the keyword among them

    @classmethod
    def of(cls, data: bytes) -> _Lines:
        if data.startswith((codecs.BOM_UTF16_LE, codecs.BOM_UTF16_BE)):
            data = data.decode("utf-16", "replace").encode()
        data = data.removeprefix(codecs.BOM_UTF8)
        if b"#" in data:
            data = re.sub(rb"#[^\r\n]*", b"", data)
        # A backslash joins a line to the next; \r\n makes two newlines, an empty line between
        data = data.replace(b"\\\r\n", b" ").replace(b"\\\n", b" ").replace(b"\r", b"\n")
        text = np.frombuffer(b"\n" + data + b"\n\n\n", np.uint8)
        begins = _word_begins(text)
        ends = np.flatnonzero(text == _NEWLINE)
        before = np.searchsorted(begins, ends)  # how many words begin before each newline
        words = np.diff(before, prepend=0)
        filled = words > 0
        return cls(text, begins[(before - words)[filled]], ends[filled], words[filled])

    def are(self, keyword: bytes) -> Flags:
        """Which lines begin with the keyword."""
        same = self.text[self.begin + len(keyword)] <= _SPACE
        for place, letter in enumerate(keyword):
            same &= self.text[self.begin + place] == letter
        return same

    def body(self, which: Flags, keyword: bytes) -> bytes:
        """The text of some lines after their keyword."""
        edge = np.zeros(len(self.text), np.int8)
        edge[self.begin[which] + len(keyword)] = 1
        edge[self.end[which]] -= 1  # a keyword may end its line: 1 - 1
        return self.text[np.cumsum(edge, dtype=np.int8).view(np.bool_)].tobytes()

    def table(self, which: Flags, keyword: bytes, columns: int) -> F64:
        """The first numbers of some lines; more may follow (a weight, a colour)."""
        counts = self.words[which] - 1
        if len(counts) and counts.min() < columns:
            raise ValueError(f"a line {keyword.decode()} has less than {columns} numbers")
        values = numbers(self.body(which, keyword))
        if len(values) != counts.sum():
            raise ValueError("a number in it is none")
        table: F64 = values[(np.cumsum(counts) - counts)[:, None] + np.arange(columns)]
        return table


def _word_begins(text: U8) -> I64:
    blank = text <= _SPACE
    return np.flatnonzero(~blank[1:] & blank[:-1]) + 1


def _corners(body: bytes) -> I64:
    """Numbers of position, texture coordinate and normal (k, 3); 0 for one that is not named."""
    body = body.replace(b"//", b"/0/")
    text = np.frombuffer(body, np.uint8)
    begins = _word_begins(text)
    word = np.searchsorted(begins, np.flatnonzero(text == _SLASH), side="right") - 1
    fields = np.bincount(word, minlength=len(begins)) + 1
    values = whole_numbers(body.replace(b"/", b" "))
    if len(values) != fields.sum() or (len(fields) and fields.max() > 3):
        raise ValueError("a corner of a face is none")
    begin = np.cumsum(fields) - fields
    corners = np.zeros((len(fields), 3), np.int64)
    for column in range(3):
        has = fields > column
        corners[has, column] = values[begin[has] + column]
    return corners


def _absolute(index: I64, of_kind: Flags, faces: Flags, counts: I64) -> I64:
    """The indices from 0; -1 for one that is not named."""
    before = np.repeat(np.cumsum(of_kind)[faces], counts)  # -1 is the last one before the face
    absolute = np.where(index < 0, before + index, index - 1)
    total = int(of_kind.sum())
    wrong = (index != 0) & ((absolute < 0) | (absolute >= total))
    if wrong.any():
        raise ValueError(f"a face names number {index[wrong][0]} of {total}")
    return absolute


def _unique(named: list[I64]) -> tuple[npt.NDArray[Any], I64]:
    """A corner for every combination that occurs, and every corner's combination."""
    key = named[0]
    for other in named[1:]:
        if not np.array_equal(other, named[0]):  # else it tells nothing apart
            # Numbered anew each time, so that a product of two stays within 64 bits
            key = np.unique(key, return_inverse=True)[1] * (other.max() + 1) + other
    _, first, combination = np.unique(key, return_index=True, return_inverse=True)
    return first, combination
