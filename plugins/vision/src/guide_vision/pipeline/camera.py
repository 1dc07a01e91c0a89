"""Live sources: a camera of this machine, and a stream from the network.

OpenCV's defaults freeze a program for 30 s when a network camera falls silent; both classes set
time-outs, and stamp a frame after it arrived and before it is decoded. A frame that came damaged
is counted and passed over: networks lose a packet now and then.
"""

from __future__ import annotations

import os
import socket
import sys
import time
from pathlib import Path
from urllib.parse import urlsplit

import cv2

from guide.clock import Clock, SystemClock
from guide.errors import GuideError, UsageError
from guide_vision.pipeline.frame import Facts, Frame, Image
from guide_vision.pipeline.opencv import Grabber

_PORTS = {"http": 80, "https": 443, "rtsp": 554}

# Without these FFmpeg's RTSP starts with a second of backlog and hands out a frame late.
_RTSP_OPTIONS = "rtsp_transport;tcp|fflags;nobuffer|flags;low_delay|max_delay;0"

# OpenCV says the same for a damaged frame and for the end of a stream. A damaged frame takes the
# time until the next one comes; after the end every further attempt fails at once.
_AT_ONCE_S = 0.002
_ATTEMPTS = 20
_PAUSE_S = 0.005


class _Live:
    """What both share: read, stamp, and say why there is no frame."""

    live = True
    _name: str
    _stall_s: float
    _first_frame_s: float

    def __init__(self, clock: Clock | None) -> None:
        self._clock = clock or SystemClock()
        self._grabber: Grabber | None = None
        self._seq = 0
        self._unreadable = 0

    def read(self, into: Image | None = None) -> Frame | None:
        """The next frame. GuideError when the camera is gone or silent; never None."""
        grabber = self._grabber
        if grabber is None:
            raise RuntimeError("open() the camera before you read() from it")
        began = time.monotonic()
        allowed_s = (self._stall_s if self._seq else self._first_frame_s) + _PAUSE_S
        failed = at_once = 0
        longest_s = 0.0  # of one attempt
        while True:
            asked = time.monotonic()
            arrived = grabber.grab()
            t_capture_ns = self._clock.now_ns()
            image = grabber.retrieve(into) if arrived else None
            now = time.monotonic()
            longest_s = max(longest_s, now - asked)
            # One that took the whole time-out is what there was when FFmpeg gave up: a fragment
            if image is not None and (not self._seq or now - asked < self._stall_s):
                break
            failed += 1
            at_once = at_once + 1 if now - asked < _AT_ONCE_S else 0
            if at_once >= _ATTEMPTS or now - began >= allowed_s:
                raise self._lost(longest_s, now - began)
            time.sleep(_PAUSE_S)
        frame = Frame(image, self._seq + failed, 0, t_capture_ns, unreadable=failed)
        self._seq += failed + 1
        self._unreadable += failed
        return frame

    def close(self) -> None:
        """Release the camera."""
        if self._grabber is not None:
            self._grabber.release()
            self._grabber = None

    def _facts(self, grabber: Grabber, fps: float, first_frame_s: float) -> Facts:
        self._grabber = grabber
        self._first_frame_s = first_frame_s
        return Facts(
            name=self._name,
            width=int(grabber.get(cv2.CAP_PROP_FRAME_WIDTH)),
            height=int(grabber.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            # above 1000 it is a time base such as RTP's 90 kHz, no rate
            fps=fps if 0 < fps <= 1000 else None,
            first_frame_s=first_frame_s,
            stall_s=self._stall_s,
        )

    def _lost(self, longest_s: float, waited_s: float) -> GuideError:
        if longest_s >= 0.9 * self._stall_s:
            what = f"{self._name} has sent no frame for {waited_s:.1f} s"
        elif waited_s >= self._stall_s:
            what = f"{self._name} has sent no readable frame for {waited_s:.1f} s"
        else:
            what = f"{self._name} closed after {self._seq - self._unreadable} frames"
        return GuideError(what, "check the camera and its cable or network, then run again")


class Camera(_Live):
    """A camera of this machine by its number.

    Args:
        index: 0 is the first.
        width: asked of the driver, which answers with the nearest it can do.
        height: likewise.
        stall_s: how long it may stay silent.
        clock: what stamps the frames.
    """

    def __init__(
        self,
        index: int,
        *,
        width: int = 640,
        height: int = 360,
        stall_s: float = 2.0,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(clock)
        self._index = index
        self._size = (width, height)
        self._stall_s = stall_s
        self._name = f"camera {index}"

    def open(self) -> Facts:
        """Open the device."""
        remedy = (
            "plug it in, name another one (`guide doctor` lists them), or type --set source=virtual"
        )
        linux = sys.platform.startswith("linux")
        device = Path(f"/dev/video{self._index}")
        if linux and not device.exists():
            raise GuideError(f"there is no camera {self._index} ({device} does not exist)", remedy)
        if linux and not os.access(device, os.R_OK | os.W_OK):
            raise GuideError(
                f"camera {self._index} may not be opened by this user ({device})",
                "join its group with `sudo usermod -aG video $USER` and log in again",
            )
        width, height = self._size
        grabber = Grabber(
            self._index,
            cv2.CAP_V4L2 if linux else cv2.CAP_ANY,
            (cv2.CAP_PROP_FRAME_WIDTH, width, cv2.CAP_PROP_FRAME_HEIGHT, height),
        )
        if not grabber.is_open:
            grabber.release()
            raise GuideError(f"cannot open camera {self._index}: absent or in use", remedy)
        return self._facts(grabber, grabber.get(cv2.CAP_PROP_FPS), first_frame_s=10.0)


class Stream(_Live):
    """A network camera: MJPEG over http, or rtsp.

    Args:
        url: `http://`, `https://` or `rtsp://`.
        stall_s: how long it may stay silent.
        open_s: how long it may take to answer.
        clock: what stamps the frames.
    """

    def __init__(
        self, url: str, *, stall_s: float = 2.0, open_s: float = 5.0, clock: Clock | None = None
    ) -> None:
        super().__init__(clock)
        self._stall_s = stall_s
        self._open_s = open_s
        try:
            parts = urlsplit(url)
            host, port = parts.hostname, parts.port
        except ValueError:  # its text may hold the password: it is not passed on
            host, port = None, None
        if not host or port == 0:
            raise UsageError(
                "the address of the stream names no host, or a port that cannot be",
                "write it as http://HOST:PORT/PATH, with a port from 1 to 65535",
            )
        # FFmpeg knows schemes in small letters only
        self._url = parts.scheme + url[len(parts.scheme) :]
        self._address = (host, port or _PORTS.get(parts.scheme, 80))
        # Without user, password and query, since it stands in every message and report; a
        # password may hold a slash
        self._name = f"{parts.scheme}://{(parts.netloc + parts.path).rpartition('@')[2]}"

    def open(self) -> Facts:
        """Connect and find the video in it."""
        if self._url.startswith("rtsp"):
            os.environ.setdefault("OPENCV_FFMPEG_CAPTURE_OPTIONS", _RTSP_OPTIONS)
        grabber = Grabber(
            self._url,
            cv2.CAP_FFMPEG,
            (
                cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
                round(self._open_s * 1e3),
                cv2.CAP_PROP_READ_TIMEOUT_MSEC,
                round(self._stall_s * 1e3),
                cv2.CAP_PROP_N_THREADS,
                1,  # each further decoder thread holds one more frame back
            ),
        )
        if not grabber.is_open:
            grabber.release()
            raise GuideError(
                f"cannot open {self._name}: {self._why_not()}",
                "check the address and that the camera is on, or type --set source=virtual",
            )
        # Motion JPEG carries no rate; the 25 one gets is FFmpeg's guess
        fps = 0.0 if grabber.codec == "MJPG" else grabber.get(cv2.CAP_PROP_FPS)
        return self._facts(grabber, fps, first_frame_s=self._open_s + self._stall_s)

    def _why_not(self) -> str:
        """FFmpeg only says no; a bare connection tells a dead host from a missing video."""
        host, port = self._address
        try:
            socket.create_connection(self._address, timeout=2).close()
        except (socket.gaierror, UnicodeError):  # UnicodeError: no name can be like this
            return f"no host is called {host}"
        except TimeoutError:
            return f"{host} does not answer"
        except OSError as error:
            return f"{(error.strerror or str(error)).lower()} by {host}, port {port}"
        return f"{host} answers, but there is no video at this address"
