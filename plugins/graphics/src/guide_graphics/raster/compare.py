"""How far two pictures of one scene lie apart."""

from __future__ import annotations

import math
from typing import NamedTuple

import numpy as np

from guide.errors import GuideError
from guide_graphics.raster.scene import U8


class Difference(NamedTuple):
    """What two pictures differ by, over red, green and blue."""

    pixels: int  # that differ in any of the three
    worst: int  # largest difference of any, 0 to 255
    psnr_db: float  # peak signal-to-noise ratio; infinite where they are equal


def difference(a: U8, b: U8) -> Difference:
    """Compare two pictures, (h, w, 3 or 4) uint8; a fourth channel is not looked at.

    PSNR is 10 log10(255^2 / mean squared error).

    Raises:
        GuideError: when they are not of one size.
    """
    apart = _apart(a, b)[..., :3]
    levels = apart.astype(np.float32).ravel()
    mean = float(levels @ levels) / levels.size
    return Difference(
        pixels=int(np.count_nonzero(apart[..., 0] | apart[..., 1] | apart[..., 2])),
        worst=int(apart.max()),
        psnr_db=10 * math.log10(255**2 / mean) if mean else math.inf,
    )


def amplified(a: U8, b: U8, gain: int = 16) -> U8:
    """The difference of two pictures as a picture, `gain` times as bright: black is equal.

    Args:
        a: (h, w, 4) uint8.
        b: the same.
        gain: 1 to 255; what comes out brighter than white is white.
    """
    # A table of 256 rather than arithmetic on every pixel
    levels = np.minimum(np.arange(256) * gain, 255).astype(np.uint8)
    shown = levels[_apart(a, b)]
    shown[..., 3] = 255
    return shown


def _apart(a: U8, b: U8) -> U8:
    if a.shape != b.shape:
        raise GuideError(f"pictures of {a.shape} and {b.shape} cannot be compared")
    return np.maximum(a, b) - np.minimum(a, b)
