"""Encode a picture as PNG with the standard library alone.

Source: PNG specification, https://www.w3.org/TR/png-3/ (chunks, filter type 2 "up").
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

_COLOUR_TYPES = {1: 0, 3: 2, 4: 6}  # by number of channels


def checked_picture(image: Any) -> NDArray[np.uint8]:
    """`image` as an array, once it is known to be one that `encode_png` takes.

    Raises:
        ValueError: for another shape or type, or an image without pixels.
    """
    array = np.asarray(image)
    if array.dtype != np.uint8 or array.size == 0 or _channels(array) not in _COLOUR_TYPES:
        raise ValueError(f"a picture is H x W x 3 uint8, not {array.shape} {array.dtype}")
    return array


def encode_png(image: NDArray[Any]) -> bytes:
    """PNG bytes of an 8-bit image.

    Args:
        image: H x W (grey), H x W x 3 (RGB) or H x W x 4 (RGBA), uint8, top row first.

    Raises:
        ValueError: for another shape or type, or an image without pixels.
    """
    image = checked_picture(image)
    channels = _channels(image)
    colour_type = _COLOUR_TYPES[channels]
    height, width = image.shape[:2]
    rows = np.ascontiguousarray(image).reshape(height, width * channels)
    # Filter "up": each row as its difference from the one above, which compresses far better.
    filtered = np.empty((height, width * channels + 1), np.uint8)
    filtered[:, 0] = 2
    filtered[0, 1:] = rows[0]
    np.subtract(rows[1:], rows[:-1], out=filtered[1:, 1:])

    def chunk(kind: bytes, data: bytes) -> bytes:
        return (
            struct.pack(">I", len(data)) + kind + data + struct.pack(">I", zlib.crc32(kind + data))
        )

    header = struct.pack(">IIBBBBB", width, height, 8, colour_type, 0, 0, 0)
    return (
        b"\x89PNG\r\n\x1a\n"
        + chunk(b"IHDR", header)
        + chunk(b"IDAT", zlib.compress(filtered.tobytes(), 6))
        + chunk(b"IEND", b"")
    )


def _channels(image: NDArray[Any]) -> int:
    return {2: 1, 3: image.shape[-1]}.get(image.ndim, 0) if image.ndim else 0
