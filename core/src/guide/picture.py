"""What a picture is: the array that a task shows, and that goes into reports and pages."""

from __future__ import annotations

from typing import Any

import numpy as np
from numpy.typing import NDArray


def checked_picture(image: Any) -> NDArray[np.uint8]:
    """`image` as an array, once it is known to be grey, RGB or RGBA of 8 bits, and not empty.

    Raises:
        ValueError: for another shape or type, or an image without pixels.
    """
    array = np.asarray(image)
    if array.dtype != np.uint8 or array.size == 0 or channels(array) not in (1, 3, 4):
        raise ValueError(f"a picture is H x W x 3 uint8, not {array.shape} {array.dtype}")
    return array


def channels(image: NDArray[Any]) -> int:
    """1 for H x W, C for H x W x C, and 0 for what is no picture."""
    return {2: 1, 3: image.shape[-1]}.get(image.ndim, 0) if image.ndim else 0
