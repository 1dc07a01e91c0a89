"""Brighten frames with a gamma curve that changes with the light."""

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]


def brighten(frame: Image, gamma: float) -> Image:
    """Each byte v of `frame`, H x W x 3, becomes 255 * (v / 255) ** (1 / gamma), rounded."""
    # 256 powers answer every question that a byte can ask; a new table a frame costs microseconds
    table = np.rint(255 * (np.arange(256) / 255) ** (1 / gamma)).astype(np.uint8)
    return cv2.LUT(frame, table) if frame.size else frame.copy()
