"""Brighten frames with a gamma curve, through a table made once."""

import cv2
import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]


class Gamma:
    """Brightens 8-bit pictures: v becomes 255 * (v / 255) ** (1 / gamma)."""

    def __init__(self, gamma: float) -> None:
        # Only 256 values can come in, so 256 values say it all
        levels = np.arange(256) / 255
        self.table = np.rint(255 * levels ** (1 / gamma)).astype(np.uint8)

    def __call__(self, frame: Image, out: Image) -> Image:
        """Brighten `frame` into `out`, which has the same shape; returns `out`."""
        cv2.LUT(frame, self.table, dst=out)
        return out
