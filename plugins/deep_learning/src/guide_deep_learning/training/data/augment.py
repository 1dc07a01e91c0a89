"""Images moved, mirrored and made brighter, as a pure function of (seed, epoch, index).

What happens to an image depends on its number and the epoch alone: not on the batch it comes in,
nor on the worker that makes it, nor on what was drawn before. So a restart, another batch size
and another number of workers leave every image as it was.

All of a batch is done in one go, in whole numbers. Measured at 256 images of 28 x 28 with all
three: 0.35 ms of CPU; a loop that does the same image by image takes 4.7 ms.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.lib.stride_tricks import sliding_window_view
from numpy.typing import ArrayLike, NDArray

from guide.errors import GuideError
from guide_deep_learning.training.data.keyed import AUGMENT, words


@dataclass(frozen=True, slots=True)
class Augment:
    """What is done to each image, and how much of it at most.

    Attributes:
        shift: pixels up, down, left or right; what comes in from outside is black.
        flip: whether every other image is mirrored; a mirrored digit is no digit.
        brightness: 0.2 makes it between 0.8 and 1.2 times as bright.

    Raises:
        GuideError: when `shift` is negative, or `brightness` not within 0 to 1.
    """

    shift: int = 2
    flip: bool = False
    brightness: float = 0.0

    def __post_init__(self) -> None:
        if self.shift < 0:
            raise GuideError(f"shift is 0 pixels or more, not {self.shift}")
        if not 0 <= self.brightness <= 1:
            raise GuideError(f"brightness is 0 to 1, not {self.brightness}")

    def __call__(
        self, images: NDArray[np.uint8], seed: int, epochs: ArrayLike, items: ArrayLike
    ) -> NDArray[np.uint8]:
        """New images, (count, height, width) of uint8, as those given.

        Args:
            images: (count, height, width) of uint8; they stay as they are.
            seed: of the training.
            epochs: the epoch of each, or one for all.
            items: the number of each in its set.
        """
        random = words(seed, AUGMENT, epochs, items)
        steps = np.uint32(2 * self.shift + 1)
        down, right = ((random[:, n] % steps).astype(np.int64) - self.shift for n in range(2))
        images = shifted(images, down, right) if self.shift else images.copy()
        if self.flip:
            mirrored = random[:, 2] % 2 == 1
            images[mirrored] = images[mirrored, :, ::-1]
        if self.brightness:
            span = round(256 * self.brightness)
            gains = 256 - span + (random[:, 3] % np.uint32(2 * span + 1)).astype(np.int64)
            images = brightened(images, gains)
        return images


def shifted(
    images: NDArray[np.uint8], down: NDArray[np.int64], right: NDArray[np.int64]
) -> NDArray[np.uint8]:
    """Each image moved by pixels of its own; what comes in from outside is 0.

    Args:
        images: (count, height, width).
        down: how far, (count,); negative is up.
        right: how far, (count,); negative is left.
    """
    far = int(max(np.abs(down).max(initial=0), np.abs(right).max(initial=0)))
    height, width = images.shape[1:]
    wide = np.zeros((len(images), height + 2 * far, width + 2 * far), np.uint8)
    wide[:, far : far + height, far : far + width] = images
    windows = sliding_window_view(wide, (height, width), axis=(1, 2))
    found: NDArray[np.uint8] = windows[np.arange(len(images)), far - down, far - right]
    return found


def brightened(images: NDArray[np.uint8], gains: NDArray[np.int64]) -> NDArray[np.uint8]:
    """Each image times its gain, (count,) in 256ths, at most 255.

    Whole numbers: the same bits on every machine.
    """
    bright = images.astype(np.uint32) * gains.astype(np.uint32)[:, None, None] >> 8
    found: NDArray[np.uint8] = np.minimum(bright, 255).astype(np.uint8)
    return found
