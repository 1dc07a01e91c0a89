"""What this track decides about OpenCV as a whole: its threads, its voice, its capture calls."""

from __future__ import annotations

import contextlib
import os
import threading
from collections.abc import Iterator, Sequence
from typing import Any, cast

import cv2

from guide.errors import GuideError
from guide_vision.pipeline.frame import Image

# Pixel formats, as FFmpeg's tags name them, whose first plane is 8-bit grey
_Y_FIRST = ("I420", "IYUV", "YV12", "Y42B", "422P", "444P", "Y41B", "YUV9", "NV12", "NV21", "Y800")


_opening = threading.Lock()


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


@contextlib.contextmanager
def _ffmpeg_options(options: str) -> Iterator[None]:
    """Within the block OpenCV hands `options` to FFmpeg.

    The environment is the only way to say them. What is right for a camera keeps a file from
    being opened at all, so they are taken back, and nothing else is opened in the meantime.
    """
    with _opening:
        name = "OPENCV_FFMPEG_CAPTURE_OPTIONS"
        if not options or name in os.environ:
            yield
            return
        os.environ[name] = options
        try:
            yield
        finally:
            del os.environ[name]


class Grabber:
    """A `cv2.VideoCapture` whose two steps are apart: wait for a frame, then decode it.

    Between the two is the earliest moment at which the program has the frame: the time to stamp.

    Args:
        where: a path, an address, a camera's number.
        backend: a `cv2.CAP_*`.
        settings: pairs of `cv2.CAP_PROP_*` and value that hold from the opening on.
        gray: leave the conversion to BGR out; then see `require_plane`.
        ffmpeg: options for FFmpeg, "name;value|name;value"; those a person has set in
            OPENCV_FFMPEG_CAPTURE_OPTIONS come before them.
    """

    def __init__(
        self,
        where: str | int,
        backend: int,
        settings: Sequence[int] = (),
        *,
        gray: bool = False,
        ffmpeg: str = "",
    ) -> None:
        quiet()
        raw = [cv2.CAP_PROP_CONVERT_RGB, 0] if gray else []
        with _ffmpeg_options(ffmpeg):
            self._capture = cv2.VideoCapture(where, backend, [*settings, *raw])

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

    def require_plane(self, name: str) -> None:
        """Make sure that the picture without conversion is a plane of grey values, H x W uint8.

        OpenCV hands out the first plane of whatever there is as if it were that: of packed or
        10-bit pixels, rubbish. In film grey is 16 to 235, in JPEG 0 to 255.

        Raises:
            GuideError: when it is not; the grabber is released.
        """
        number = int(self.get(cv2.CAP_PROP_CODEC_PIXEL_FORMAT))
        kind = number.to_bytes(4, "little").decode("ascii", "replace") if number > 0 else "unknown"
        if kind not in _Y_FIRST:
            self.release()
            raise GuideError(
                f"{name} has no plane of 8-bit grey values to hand out: its pixels are {kind!r}",
                "leave out gray=true and convert with cv2.cvtColor",
            )

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
