"""Where finished pictures go: nowhere, into a video file, into a window."""

from __future__ import annotations

import os
import subprocess
import sys
from pathlib import Path
from typing import Protocol

import cv2

from guide.errors import GuideError
from guide_vision.pipeline.frame import Image
from guide_vision.pipeline.opencv import Grabber, quiet

_WINDOW_S = 10  # how long a display may take to open a window


class Sink(Protocol):
    """Takes finished pictures."""

    def write(self, image: Image) -> bool:
        """Take one picture, H x W x 3, BGR; returns False when the person wants to stop."""
        ...

    def close(self) -> None:
        """Finish. Tolerates a sink that never got a picture."""
        ...


class Recorder:
    """A video file: `.mp4` (MPEG-4 part 2) or `.avi` (Motion JPEG).

    It encodes on the thread that calls it: a few ms for each frame. Opened with the first
    picture, which gives the size; a picture of another size is a GuideError.

    Args:
        path: the file to write, overwritten when it exists.
        fps: at which it will be played.
    """

    def __init__(self, path: Path, fps: float) -> None:
        codecs = {".mp4": "mp4v", ".avi": "MJPG"}
        codec = codecs.get(path.suffix.lower())
        if codec is None:
            why = f"the ending {path.suffix} is not known" if path.suffix else "it has no ending"
            raise GuideError(
                f"cannot record to {path.name}: {why}",
                "name it .mp4, or .avi for Motion JPEG",
            )
        self.path = path
        self.frames = 0
        self._fourcc = cv2.VideoWriter.fourcc(codec[0], codec[1], codec[2], codec[3])
        self._fps = fps
        self._shape: tuple[int, ...] = ()
        self._writer: cv2.VideoWriter | None = None

    def write(self, image: Image) -> bool:
        """Append a picture."""
        if self._writer is None:
            self._writer = self._open(image)
        if image.shape != self._shape:
            # VideoWriter would drop it without a word
            raise GuideError(
                f"the picture changed from {self._shape[1]} x {self._shape[0]} to "
                f"{image.shape[1]} x {image.shape[0]} while recording {self.path.name}",
                "run again: a recording has one size",
            )
        self._writer.write(image)
        self.frames += 1
        return True

    def close(self) -> None:
        """Write the file's end; without it no player opens it.

        Raises:
            GuideError: when the file does not hold what was written to it: a full disk.
        """
        if self._writer is None:
            return
        self._writer.release()
        self._writer = None
        if not self._holds_last_frame():
            raise GuideError(
                f"the recording {self.path} is damaged: it does not hold the {self.frames} "
                "frames that were written",
                "check that there is space on its disk (`df -h`), then record again",
            )

    def _holds_last_frame(self) -> bool:
        # VideoWriter says nothing when a write fails, so the file itself is asked
        grabber = Grabber(str(self.path), cv2.CAP_FFMPEG)
        try:
            counted = grabber.is_open and grabber.get(cv2.CAP_PROP_FRAME_COUNT) > 0
            return counted and grabber.seek(self.frames - 1) and grabber.grab()
        finally:
            grabber.release()

    def _open(self, image: Image) -> cv2.VideoWriter:
        quiet()
        self._shape = image.shape
        size = (image.shape[1], image.shape[0])
        writer = cv2.VideoWriter(str(self.path), cv2.CAP_FFMPEG, self._fourcc, self._fps, size)
        if not writer.isOpened():
            raise GuideError(
                f"cannot record to {self.path}",
                "check that the folder exists, that there is space, and `guide doctor` for FFmpeg",
            )
        return writer


class Window:
    """A window on this machine's display; closed by `q`, Escape, or its button.

    Raises GuideError where there is no display, or OpenCV was built without windows.
    """

    def __init__(self, title: str) -> None:
        if not has_windows():
            raise GuideError(
                "this OpenCV has no windows: it is the headless distribution",
                "pip uninstall opencv-python-headless, then pip install opencv-python; "
                "or leave out --set window=true",
            )
        if not has_display():
            # Asked before OpenCV is: Qt ends the whole process when it finds no display
            raise GuideError(
                "there is no display to open a window on",
                "leave out --set window=true, and record instead with --set record=out.mp4",
            )
        if not _window_opens():
            raise GuideError(
                "no window can be opened on the display "
                f"{os.environ.get('WAYLAND_DISPLAY') or os.environ.get('DISPLAY', '')}",
                "check DISPLAY, or record instead with --set record=out.mp4",
            )
        self._title = title
        self._shown = False

    def write(self, image: Image) -> bool:
        """Show a picture and look at the keyboard."""
        cv2.imshow(self._title, image)
        key = cv2.pollKey() & 0xFF
        closed = self._shown and cv2.getWindowProperty(self._title, cv2.WND_PROP_VISIBLE) < 1
        self._shown = True
        return not closed and key not in (ord("q"), 27)

    def close(self) -> None:
        """Close the window."""
        if self._shown:
            cv2.destroyWindow(self._title)
            cv2.pollKey()


def has_windows() -> bool:
    """Whether this build of OpenCV can open a window at all."""
    return gui_backend() != "NONE"


def gui_backend() -> str:
    """What OpenCV was built with for windows: "QT5", "GTK3", "COCOA", "NONE" ..."""
    for line in cv2.getBuildInformation().splitlines():
        name, _, value = line.strip().partition(":")
        if name == "GUI":
            return value.strip() or "NONE"
    return "NONE"


def has_display() -> bool:
    """Whether there is a display; on Linux it must be named in the environment."""
    if not sys.platform.startswith("linux"):
        return True
    return bool(os.environ.get("DISPLAY") or os.environ.get("WAYLAND_DISPLAY"))


def _window_opens() -> bool:
    """Whether a window can be opened: tried in a process of its own, since Qt may abort it."""
    attempt = "import cv2; cv2.namedWindow('guide'); cv2.destroyAllWindows()"
    try:
        done = subprocess.run(
            [sys.executable, "-c", attempt], capture_output=True, timeout=_WINDOW_S, check=False
        )
    except subprocess.TimeoutExpired:
        return False
    return done.returncode == 0
