"""Encode a picture as PNG with the standard library alone.

Source: PNG specification, https://www.w3.org/TR/png-3/ (chunks, filter type 2 "up").
"""

from __future__ import annotations

import struct
import zlib
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guide.picture import channels, checked_picture

_COLOUR_TYPES = {1: 0, 3: 2, 4: 6}  # by number of channels


def encode_png(image: NDArray[Any]) -> bytes:
    """PNG bytes of an 8-bit image.

    Args:
        image: H x W (grey), H x W x 3 (RGB) or H x W x 4 (RGBA), uint8, top row first.

    Raises:
        ValueError: for another shape or type, or an image without pixels.
    """
    image = checked_picture(image)
    count = channels(image)
    colour_type = _COLOUR_TYPES[count]
    height, width = image.shape[:2]
    rows = np.ascontiguousarray(image).reshape(height, width * count)
    # Filter "up": each row as its difference from the one above, which compresses far better.
    filtered = np.empty((height, width * count + 1), np.uint8)
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
