"""From a camera's frame to what a network takes, in one pass."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

MEAN = (0.485, 0.456, 0.406)  # red, green, blue: those of ImageNet
SPREAD = (0.229, 0.224, 0.225)

# (v / 255 - mean) / spread is v * scale + shift: two numbers for each colour, known before
SCALE = (1 / (255 * np.array(SPREAD))).astype(np.float32)
SHIFT = (-np.array(MEAN) / np.array(SPREAD)).astype(np.float32)


@njit
def _pass(frame: Any, out: Any, scale: Any, shift: Any) -> None:
    height, width = frame.shape[:2]
    for y in range(height):
        row = frame[y]
        red, green, blue = out[0, y], out[1, y], out[2, y]
        for x in range(width):  # a pixel is read once, and written to three places
            red[x] = np.float32(row[x, 2]) * scale[0] + shift[0]
            green[x] = np.float32(row[x, 1]) * scale[1] + shift[1]
            blue[x] = np.float32(row[x, 0]) * scale[2] + shift[2]


def prepare(frame: npt.NDArray[np.uint8], out: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
    """`frame`, H x W x 3 blue-green-red, into `out`, 3 x H x W red, green, blue; returns `out`."""
    _pass(frame, out, SCALE, SHIFT)
    return out
