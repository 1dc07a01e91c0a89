"""A video file as a source: every frame, in order."""

from __future__ import annotations

from pathlib import Path

import cv2

from guide.clock import Clock, SystemClock
from guide.errors import GuideError
from guide_vision.pipeline.frame import Facts, Frame, Image
from guide_vision.pipeline.opencv import Grabber

# Containers without an index give a count computed from duration and rate, a frame or two off.
_COUNT_TOLERANCE = 0.02


class Clip:
    """Frames of a recording. Their capture time is the moment they were asked for.

    Args:
        path: the file.
        loop: start again at the end, as a new epoch, instead of ending.
        gray: give the decoder's Y plane, H x W, instead of BGR.
        clock: what stamps the frames.
    """

    live = False

    def __init__(
        self,
        path: Path,
        *,
        loop: bool = False,
        gray: bool = False,
        clock: Clock | None = None,
    ) -> None:
        self._path = path
        self._loop = loop
        self._gray = gray
        self._clock = clock or SystemClock()
        self._grabber: Grabber | None = None
        self._grabbed = False  # the frame that is next is in the grabber already
        self._seq = 0
        self._since_start = 0
        self._epoch = 0
        self._expected = 0

    def open(self) -> Facts:
        """Open the file and make sure that it holds at least one frame."""
        path = self._path
        self._require_readable()
        grabber = self._grab_from_start()
        if not self._grabbed:
            grabber.release()
            raise GuideError(
                f"{path.name} holds no video that can be decoded: not a video, or it is cut off",
                f"`ffprobe {path.name}` says what it is; name another file with --set source=FILE",
            )
        # A photograph opens as a film of one frame, or of no stated length; a GIF may be a film
        if grabber.get(cv2.CAP_PROP_FRAME_COUNT) <= 1 and cv2.haveImageReader(str(path)):
            grabber.release()
            raise GuideError(
                f"{path.name} is a picture, not a video",
                f"--set source=virtual --set photo={path} moves a virtual camera over it",
            )
        if self._gray:
            grabber.require_plane(path.name)
        self._grabber = grabber
        self._expected = max(int(grabber.get(cv2.CAP_PROP_FRAME_COUNT)), 0)
        fps = grabber.get(cv2.CAP_PROP_FPS)
        return Facts(
            name=path.name,
            width=int(grabber.get(cv2.CAP_PROP_FRAME_WIDTH)),
            height=int(grabber.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            fps=fps if fps > 0 else None,
            frames=self._expected or None,
        )

    def read(self, into: Image | None = None) -> Frame | None:
        """The next frame; None at the end. GuideError when the file ends before its end."""
        grabber = self._grabber
        if grabber is None:
            raise RuntimeError("open() the clip before you read() from it")
        t_capture_ns = self._clock.now_ns()
        image = grabber.retrieve(into) if self._grabbed or grabber.grab() else None
        self._grabbed = False
        if image is None:
            self._require_whole()
            if not (self._loop and self._since_start):
                return None
            self._since_start = 0
            self._epoch += 1
            if not (self._expected and grabber.rewind()):
                grabber.release()  # without an index it cannot go back
                self._grabber = self._grab_from_start()
            return self.read(into)
        frame = Frame(image, self._seq, self._epoch, t_capture_ns)
        self._seq += 1
        self._since_start += 1
        return frame

    def close(self) -> None:
        """Close the file."""
        if self._grabber is not None:
            self._grabber.release()
            self._grabber = None

    def _grab_from_start(self) -> Grabber:
        # One decoder thread: more of them read ahead, which costs memory and no time at 30 fps
        grabber = Grabber(
            str(self._path), cv2.CAP_FFMPEG, (cv2.CAP_PROP_N_THREADS, 1), gray=self._gray
        )
        self._grabbed = grabber.is_open and grabber.grab()
        return grabber

    def _require_readable(self) -> None:
        path = self._path
        try:
            path.open("rb").close()
        except FileNotFoundError:
            what = f"there is no file {path}"
        except IsADirectoryError:
            what = f"{path} is a folder, not a video"
        except OSError as error:
            what = f"cannot read {path}: {(error.strerror or str(error)).lower()}"
        else:
            return
        raise GuideError(what, "check its path, or type --set source=virtual")

    def _require_whole(self) -> None:
        missing = self._expected - self._since_start
        if missing > 1 + _COUNT_TOLERANCE * self._expected:
            raise GuideError(
                f"{self._path.name} ends after {self._since_start} of its {self._expected} "
                "frames: the file is cut off or damaged",
                f"`ffmpeg -i {self._path.name} -c copy mended.mp4` keeps what can be read",
            )
