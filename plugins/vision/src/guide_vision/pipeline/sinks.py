"""Where finished pictures go: nowhere, into a window; files are in `recorder` and `results`."""

from __future__ import annotations

import os
import subprocess
import sys
from typing import Protocol

import cv2

from guide.errors import GuideError
from guide_vision.pipeline.frame import Image

_WINDOW_S = 10  # how long a display may take to open a window


class Sink(Protocol):
    """Takes finished pictures."""

    def write(self, image: Image) -> bool:
        """Take one picture, H x W x 3, BGR; returns False when the person wants to stop."""
        ...

    def close(self) -> None:
        """Finish. Tolerates a sink that never got a picture."""
        ...


class Null:
    """Takes pictures and forgets them: what the rest costs without a sink."""

    def write(self, image: Image) -> bool:
        """Do nothing."""
        return True

    def close(self) -> None:
        """Do nothing."""


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
