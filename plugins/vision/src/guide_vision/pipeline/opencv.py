"""What this track decides about OpenCV as a whole: its threads, its voice, its capture calls."""

from __future__ import annotations

import os
from collections.abc import Sequence
from typing import Any, cast

import cv2

from guide_vision.pipeline.frame import Image


def use_threads(count: int) -> int:
    """Set how many threads one OpenCV call may use; returns the number now in force.

    The scaffold uses 1. A loop that meets its deadline gains nothing from splitting a 3 ms
    resize over all cores, it only burns more CPU per frame, and the capture thread needs a core
    of its own. Raise it when one stage alone is longer than the budget, and measure.
    """
    cv2.setNumThreads(count)
    return cv2.getNumThreads()


def quiet() -> None:
    """Silence OpenCV's and FFmpeg's own lines: a failure is told once, by a GuideError.

    What a person set in OPENCV_LOG_LEVEL or OPENCV_FFMPEG_LOGLEVEL stays.
    """
    if "OPENCV_LOG_LEVEL" not in os.environ:
        # OpenCV 5 moved it; 4.x has it at the top
        logging: Any = getattr(cv2.utils, "logging", cv2)
        logging.setLogLevel(0)  # LOG_LEVEL_SILENT
    os.environ.setdefault("OPENCV_FFMPEG_LOGLEVEL", "-8")  # AV_LOG_QUIET; read at first use


class Grabber:
    """A `cv2.VideoCapture` whose two steps are apart: wait for a frame, then decode it.

    Between the two is the earliest moment at which the program has the frame: the time to stamp.
    """

    def __init__(self, where: str | int, backend: int, settings: Sequence[int] = ()) -> None:
        quiet()
        self._capture = cv2.VideoCapture(where, backend, list(settings))

    @property
    def is_open(self) -> bool:
        """Whether frames can be expected."""
        return self._capture.isOpened()

    def get(self, prop: int) -> float:
        """A `cv2.CAP_PROP_*`; 0 when the backend does not know it."""
        return self._capture.get(prop)

    @property
    def codec(self) -> str:
        """Four letters, such as "h264" or "MJPG"; empty when unknown."""
        number = int(self._capture.get(cv2.CAP_PROP_FOURCC))
        return number.to_bytes(4, "little").decode("ascii", "replace") if number > 0 else ""

    def grab(self) -> bool:
        """Wait for the next frame; False when there is none."""
        return self._capture.grab()

    def retrieve(self, into: Image | None = None) -> Image | None:
        """Decode the frame that was grabbed.

        OpenCV writes to `into` when its shape fits and allocates silently when it does not:
        compare the result with `into` to know.
        """
        ok, image = self._capture.retrieve(into)
        return cast(Image, image) if ok else None

    def rewind(self) -> bool:
        """Go back to the first frame of a recording."""
        return self.seek(0)

    def seek(self, frame: int) -> bool:
        """Go to a frame of a recording by its number."""
        return self._capture.set(cv2.CAP_PROP_POS_FRAMES, frame)

    def release(self) -> None:
        """Close it."""
        self._capture.release()
