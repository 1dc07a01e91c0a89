"""Write numbers into a picture so that they survive compression, and read them back.

A frame that carries its own number and time tells its true age at the far end of a network,
whatever was buffered in between: no clock but the camera's and ours has a say.
"""

from __future__ import annotations

import numpy as np

from guide_vision.pipeline.frame import Image

_BITS = 32
_BLOCK = 8  # pixels: the block of JPEG, so that no block mixes two bits
# Grey and light grey, not black and white: a tracker takes the sharpest corners there are
_DARK, _BRIGHT = 96, 160
WIDTH = _BITS * _BLOCK


def write_barcode(image: Image, number: int, row: int = 0) -> None:
    """Write the lowest 32 bits of `number` as blocks along the lower edge.

    Args:
        image: at least 256 pixels wide; changed in place.
        number: what to write.
        row: 0 is the lowest row of blocks, 1 the one above.
    """
    if image.shape[1] < WIDTH:
        raise ValueError(f"a barcode needs {WIDTH} pixels, the picture has {image.shape[1]}")
    bits = (number >> np.arange(_BITS)) & 1
    line = np.repeat(_DARK + bits * (_BRIGHT - _DARK), _BLOCK).astype(np.uint8)
    _band(image, row)[:] = line[None, :, None]


def read_barcode(image: Image, row: int = 0) -> int:
    """The number in a row of blocks, 0 to 2**32 - 1."""
    blocks = _band(image, row).reshape(_BLOCK, _BITS, _BLOCK, -1)
    bright = blocks[2:-2, :, 2:-2].mean(axis=(0, 2, 3)) > (_DARK + _BRIGHT) / 2
    return int((bright.astype(np.int64) << np.arange(_BITS)).sum())


def _band(image: Image, row: int) -> Image:
    # Aligned with the blocks of JPEG, which are counted from the top
    top = (image.shape[0] // _BLOCK - 1 - row) * _BLOCK
    return image[top : top + _BLOCK, :WIDTH]
