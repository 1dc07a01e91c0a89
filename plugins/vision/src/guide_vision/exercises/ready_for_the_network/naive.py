"""From a camera's frame to what a network takes."""

from typing import Any

import numpy as np
import numpy.typing as npt

MEAN = (0.485, 0.456, 0.406)  # red, green, blue: those of ImageNet
SPREAD = (0.229, 0.224, 0.225)


def prepare(frame: npt.NDArray[np.uint8], out: npt.NDArray[np.float32]) -> npt.NDArray[Any]:
    """`frame`, H x W x 3 blue-green-red, into `out`, 3 x H x W red, green, blue; returns `out`."""
    scaled = (frame[:, :, ::-1] / 255.0 - np.array(MEAN)) / np.array(SPREAD)
    out[...] = scaled.transpose(2, 0, 1).astype(np.float32)
    return out
