"""Brighten frames with a gamma curve that changes with the light."""

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]


def brighten(frame: Image, gamma: float) -> Image:
    """Each byte v of `frame`, H x W x 3, becomes 255 * (v / 255) ** (1 / gamma), rounded."""
    bright = 255 * (frame / 255) ** (1 / gamma)
    return np.rint(bright).astype(np.uint8)
