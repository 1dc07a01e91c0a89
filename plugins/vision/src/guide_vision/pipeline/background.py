"""What a pixel usually shows, and where it now shows something else: two ways to tell.

`Mog2` is OpenCV's mixture of Gaussians over a shrunken colour picture: several usual sights per
pixel, shadows told apart. `FusedBackground` keeps one Gaussian of grey per pixel and reads the
picture once: a tenth of the time or less, and blind where a thing is as bright as what is behind.
"""

from __future__ import annotations

from typing import Literal, Protocol, cast

import cv2
import numpy as np

from guide.errors import GuideError
from guide_vision.pipeline.frame import Image

Kind = Literal["mog2", "fused"]

_FOREGROUND = 200  # MOG2 writes 255 for foreground and 127 for shadow
_PACE = 1 / 60  # per frame: what stands still for some 20 frames becomes background
_CUT_LEVELS = 28  # grey levels by which a pixel differs from the frame before, on average


class Background(Protocol):
    """A model of the background that learns as it goes."""

    cut: bool  # the last picture had nothing to do with the one before: it began anew
    learning: bool  # the last picture was one of those it learns from and says nothing of

    def apply(self, image: Image) -> Image:
        """The mask of a picture, smaller than it by a whole factor or not: 255 is foreground.

        The mask is the model's memory, yours until the next call.
        """
        ...

    def restart(self) -> None:
        """Forget everything."""
        ...


class Mog2:
    """Mixture of Gaussians (Zivkovic, ICPR 2004), on colours.

    Args:
        work_width: the picture is shrunk to this width first.
        learn_frames: frames in which the background is learned.
    """

    def __init__(self, work_width: int = 320, learn_frames: int = 8) -> None:
        self.cut = self.learning = False
        self._work_width, self._learn_frames = work_width, learn_frames
        self._small: Image | None = None
        self._before: Image | None = None  # the small picture of the frame before
        self._mask: Image | None = None
        self.restart()

    def apply(self, image: Image) -> Image:
        """The mask of `image`, `work_width` wide."""
        height, width = image.shape[:2]
        scale = min(self._work_width / width, 1.0)
        size = (round(width * scale), round(height * scale))
        # The two buffers take turns; one of the wrong size would only be allocated anew
        self._small, self._before = self._before, self._small
        self._small = small = cast(
            Image, cv2.resize(image, size, dst=self._small, interpolation=cv2.INTER_LINEAR)
        )
        self.cut = self._is_cut(small)
        if self.cut:
            self.restart()
        # The plain average at first. Then slowly: MOG2's own choice, 1 / (2 n), would take the
        # back half of an object for background within three frames of a young run.
        rate = 1.0 / (1 + self._learned) if self._learned < self._learn_frames else _PACE
        self._mask = mask = cast(Image, self._subtractor.apply(small, self._mask, rate))
        self._learned += 1
        self.learning = self._learned <= self._learn_frames
        cv2.threshold(mask, _FOREGROUND, 255, cv2.THRESH_BINARY, dst=mask)
        return mask

    def restart(self) -> None:
        """Forget everything."""
        subtractor = self._subtractor = cv2.createBackgroundSubtractorMOG2(
            varThreshold=40, detectShadows=True
        )
        # Foliage and film grain: a pixel may waver by some 30 grey levels and stay background,
        # and what is new must have been there for 30 % of the time to count as background
        subtractor.setVarInit(40)
        subtractor.setVarMin(25)
        subtractor.setBackgroundRatio(0.7)
        self._learned = 0

    def _is_cut(self, small: Image) -> bool:
        before = self._before
        if before is None or before.shape != small.shape:
            return False
        return cv2.norm(small, before, cv2.NORM_L1) > _CUT_LEVELS * small.size


class FusedBackground:
    """One Gaussian of grey per pixel of the half-size picture, in a single pass; needs numba.

    Give it a grey picture, such as the Y plane of a decoder, and nothing is converted; of a
    colour picture it makes a grey one first, which costs as much again.

    Its bound, held by tests on `virtual:crossings`: against `Mog2` the overlap of mask and truth
    falls by at most 0.2, and through `MovingObjects` recall by at most 0.05 and HOTA by at most
    0.1. Measured at 640 x 360: overlap 0.84 (0.95), with four times the noise 0.79 (0.95); over
    three seeds of 300 frames recall 0.82 (0.85), precision 0.93 (0.92), HOTA 0.66 (0.72), with
    either noise; with steps of light to 0.6 and back recall 0.65 (0.69), HOTA 0.33 (0.37).

    Args:
        learn_frames: frames in which the background is learned.
        sigmas: standard deviations from which a pixel is foreground.
        least: grey levels that no standard deviation is below.
    """

    def __init__(self, learn_frames: int = 8, sigmas: float = 4.0, least: float = 2.0) -> None:
        try:
            from guide_vision.pipeline.fused import background_pass
        except ImportError as error:
            raise GuideError(
                f"the fused background needs numba: {error}", "type: pip install numba"
            ) from None
        self.cut = self.learning = False
        self._pass = background_pass
        self._learn_frames = learn_frames
        self._square, self._floor = np.float32(sigmas**2), np.float32(least**2)
        self._gray: Image | None = None
        self._learned = 0
        self._mask = np.zeros((0, 0), np.uint8)
        self._mean = self._variance = np.zeros((0, 0), np.float32)

    def apply(self, image: Image) -> Image:
        """The mask of `image`, half as wide and high."""
        gray = image
        if image.ndim == 3:
            self._gray = gray = cast(Image, cv2.cvtColor(image, cv2.COLOR_BGR2GRAY, dst=self._gray))
        shape = (gray.shape[0] // 2, gray.shape[1] // 2)
        if self._mask.shape != shape:
            self._mask = np.zeros(shape, np.uint8)
            self._mean, self._variance = np.zeros(shape, np.float32), np.zeros(shape, np.float32)
            self._learned = 0
        first = self._learned == 0
        rate = 1.0 / (1 + self._learned) if self._learned < self._learn_frames else _PACE
        self._learned += 1
        self.learning = self._learned <= self._learn_frames
        # What stands out is learned ten times as slowly, lest a thing leaves a shadow of itself
        slow = rate if self.learning else rate / 10
        self._pass(
            gray,
            self._mean,
            self._variance,
            self._mask,
            np.float32(rate),
            np.float32(slow),
            self._square,
            self._floor,
        )
        if first:  # nothing was known: all of it stood out
            self._variance[:] = 0
        return self._mask

    def restart(self) -> None:
        """Forget everything."""
        self._learned = 0


def make_background(kind: Kind, work_width: int = 320, learn_frames: int = 8) -> Background:
    """The background model of that name.

    Raises:
        GuideError: when there is none, or when "fused" lacks numba.
    """
    if kind == "mog2":
        return Mog2(work_width, learn_frames)
    if kind == "fused":
        return FusedBackground(learn_frames)
    raise GuideError(f"there is no background {kind!r}", "choose mog2 or fused")
