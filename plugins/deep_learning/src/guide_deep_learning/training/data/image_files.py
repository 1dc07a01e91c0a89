"""Readers of the two kinds of file that small sets of images come in: idx and CSV, also as .gz.

idx is that of LeCun's MNIST: two zero bytes, the type (8: unsigned bytes), the number of
dimensions, each dimension as four bytes with the highest first, then the values. A CSV has an
image a row, a column a pixel, and the label in the column so called, else in the last.

Files are not trusted. What a head promises is held against what the file can contain before
anything is allocated: deflate cannot shrink data below 1/1032 of its size. What unpacks to more
than a set of images is allowed to take is not unpacked further.
"""

from __future__ import annotations

import gzip
import zlib
from contextlib import AbstractContextManager
from math import isqrt, prod
from pathlib import Path
from typing import BinaryIO, cast

import numpy as np
from numpy.typing import NDArray

from guide.errors import GuideError
from guide.machine import memory_bytes

_DEFLATE = 1032  # the most that a byte of it can become
_SIDE = 4096  # pixels; larger images belong in files of their own
_LINE = 1_000_000  # bytes in a row of a CSV
_CHUNK = 1 << 20


def most_bytes() -> int:
    """What a set may take in memory: a quarter of the machine's, 1 GB where it is not known."""
    return memory_bytes() // 4 or 10**9


def read_idx(path: Path, dimensions: int, most: int | None = None) -> NDArray[np.uint8]:
    """The array of an idx file, read-only; memory-mapped where the file is not compressed.

    Args:
        path: the file; compressed where its name ends in .gz.
        dimensions: 3 for images (count, height, width), 1 for labels (count,).
        most: bytes that a compressed one may unpack to; by default `most_bytes()`.

    Raises:
        GuideError: when it cannot be read, is no such file, or is not whole.
    """
    try:
        size = path.stat().st_size
        with _opened(path) as file:
            shape, at = _idx_head(path, file, dimensions)
            packed = path.suffix == ".gz"
            room = size * _DEFLATE if packed else size - at
            if prod(shape) > room:
                raise _damaged(path, f"it promises {_by(shape)} bytes, and cannot hold them")
            if not packed:
                if prod(shape) < room:
                    raise _damaged(path, f"it goes on after the {_by(shape)} bytes it promises")
                return np.memmap(path, np.uint8, "r", offset=at, shape=shape)
            if prod(shape) > (most := most or most_bytes()):
                raise _too_large(path, most)
            values = bytearray()
            while len(values) < prod(shape) and (piece := file.read(_CHUNK)):
                values += piece
            if len(values) != prod(shape) or file.read(1):
                raise _damaged(path, f"it does not hold the {_by(shape)} bytes it promises")
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, error) from error
    found = np.frombuffer(values, np.uint8).reshape(shape)
    found.flags.writeable = False
    return found


def read_csv(
    path: Path, most: int | None = None, *, brightest: int = 255
) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """Images, (count, side, side), and labels, (count,), of a CSV file.

    The images are square. A first line that is no row of numbers names the columns.

    Args:
        path: the file; compressed where its name ends in .gz.
        most: bytes that its images may take; by default `most_bytes()`.
        brightest: the value that is white; the pixels are brought to 0 to 255.

    Raises:
        GuideError: when it cannot be read, a row is not like the others, or a value is no byte.
    """
    most = most or most_bytes()
    try:
        with _opened(path) as file:
            rows, label, columns = _csv_rows(path, file, most)
    except (OSError, EOFError, zlib.error) as error:
        raise _unreadable(path, error) from error
    side = isqrt(columns - 1)
    if side < 1 or side**2 != columns - 1:
        raise _damaged(path, f"its {columns} columns are no square image and a label")
    table = np.frombuffer(rows, np.uint8).reshape(-1, columns)
    images: NDArray[np.uint8] = np.delete(table, label, axis=1)
    if (top := int(images.max())) > brightest:
        raise _damaged(path, f"a pixel is {top}, and {brightest} is white")
    if brightest != 255:
        images = (images.astype(np.uint16) * 255 // brightest).astype(np.uint8)
    images, labels = images.reshape(-1, side, side), table[:, label].copy()
    images.flags.writeable = labels.flags.writeable = False
    return images, labels


def _csv_rows(path: Path, file: BinaryIO, most: int) -> tuple[bytearray, int, int]:
    rows = bytearray()
    label, columns, number = -1, 0, 0
    while line := file.readline(_LINE + 1):
        number += 1
        if len(line) > _LINE:
            raise _damaged(path, f"line {number} is longer than {_LINE} bytes")
        cells = line.split(b",")
        if number == 1 and (named := _names(cells)):
            if b"label" in named:
                label = named.index(b"label")
            columns = len(named)
            continue
        if not line.strip():
            continue
        try:
            row = bytes(map(int, cells))
        except (ValueError, OverflowError):
            raise _damaged(path, f"line {number} holds more than numbers of 0 to 255") from None
        if len(row) != (columns := columns or len(row)):
            raise _damaged(path, f"line {number} has {len(row)} columns, not {columns}")
        rows += row
        if len(rows) > most:
            raise _too_large(path, most)
    if not rows:
        raise _damaged(path, "it has no row of numbers")
    return rows, label, columns


def _names(cells: list[bytes]) -> list[bytes]:
    """The names of the columns, where these are some; else nothing."""
    names = [cell.strip().strip(b'"').lower() for cell in cells]
    return names if any(name[:1].isalpha() for name in names) else []


def _idx_head(path: Path, file: BinaryIO, dimensions: int) -> tuple[tuple[int, ...], int]:
    head = file.read(4)
    if len(head) < 4 or head[:2] != b"\0\0":
        raise _damaged(path, "it is no idx file: it does not begin with two zero bytes")
    if head[2] != 8 or head[3] != dimensions:
        raise _damaged(
            path,
            f"it holds type {head[2]} in {head[3]} dimensions, not unsigned bytes in {dimensions}",
        )
    sizes = file.read(4 * dimensions)
    if len(sizes) < 4 * dimensions:
        raise _damaged(path, "it ends within its head")
    shape = tuple(int(n) for n in np.frombuffer(sizes, ">u4"))
    if 0 in shape or max(shape[1:], default=1) > _SIDE:
        raise _damaged(path, f"it promises {_by(shape)}; images are 1 to {_SIDE} pixels wide")
    return shape, 4 + 4 * dimensions


def _opened(path: Path) -> AbstractContextManager[BinaryIO]:
    """For reading; a .gz is unpacked as it is read."""
    opener = gzip.open if path.suffix == ".gz" else open
    return cast("AbstractContextManager[BinaryIO]", opener(path, "rb"))


def _by(shape: tuple[int, ...]) -> str:
    return " x ".join(map(str, shape))


_REMEDY = "get the file again, or point --set images=... at another set"


def _damaged(path: Path, why: str) -> GuideError:
    return GuideError(f"{path} cannot be used: {why}", _REMEDY)


def _unreadable(path: Path, error: Exception) -> GuideError:
    why = (getattr(error, "strerror", None) or str(error)).splitlines()
    return GuideError(f"cannot read {path}: {' '.join(why)}", _REMEDY)


def _too_large(path: Path, most: int) -> GuideError:
    return GuideError(
        f"{path} unpacks to more than the {most / 1e6:.0f} MB that a set of images may take here",
        "unpack it: an idx file that is not compressed is mapped, not read",
    )
