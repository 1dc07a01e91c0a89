"""Live sources: a camera of this machine, and a stream from the network.

OpenCV's defaults freeze a program for 30 s when a network camera falls silent; both classes set
time-outs, and stamp a frame after it arrived and before it is decoded. A frame that came damaged
is counted and passed over: networks lose a packet now and then. A camera that is lost is a
GuideError here; `guide_vision.pipeline.reconnect` gets it back.
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

# Without these FFmpeg's RTSP looks at a second of video before it opens, starts with that as a
# backlog, and hands out a frame late.
_RTSP_OPTIONS = (
    "rtsp_transport;tcp|fflags;nobuffer|flags;low_delay|max_delay;0"
    "|probesize;65536|analyzeduration;200000"
)

# OpenCV says the same for a damaged frame and for the end of a stream. A damaged frame takes the
# time until the next one comes; after the end every further attempt fails at once.
_AT_ONCE_S = 0.002
_ATTEMPTS = 20
_PAUSE_S = 0.005

# A source that falls silent after so few frames is slower than its time-out, not dead: one that is
# given up each time before its next frame would be opened anew for ever.
_FEW = 3
_SLOWEST_S = 5.0  # between two frames
_LONGEST_WAIT_S = 30.0  # for a first frame: some cameras send a key frame no oftener

_KNOCK_S = 0.25
_REOPEN_S = 2.0


class _Live:
    """What both share: read, stamp, and say why there is no frame.

    Attributes:
        seq: number of the next frame; goes on over a reopening.
        unreadable: frames that came damaged, in all.
    """

    live = True
    _name: str
    _stall_s: float
    _first_frame_s: float

    def __init__(self, clock: Clock | None) -> None:
        self._clock = clock or SystemClock()
        self._grabber: Grabber | None = None
        self._since_open = 0
        self._shape: tuple[int, ...] = ()
        self.seq = 0
        self.unreadable = 0

    def read(self, into: Image | None = None) -> Frame | None:
        """The next frame; never None.

        Raises:
            GuideError: when the camera is gone or silent, or its picture changed its size.
        """
        grabber = self._grabber
        if grabber is None:
            raise RuntimeError("open() the camera before you read() from it")
        began = time.monotonic()
        allowed_s = self._stall_s if self._since_open else self._first_frame_s
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
            if image is not None and (not self._since_open or now - asked < self._stall_s):
                break
            failed += 1
            at_once = at_once + 1 if now - asked < _AT_ONCE_S else 0
            # The driver's time-out and ours are the same: a whole one must not be waited out twice
            if at_once >= _ATTEMPTS or now - began >= 0.95 * allowed_s:
                raise self._lost(longest_s, now - began)
            time.sleep(_PAUSE_S)
        if self._shape and image.shape != self._shape:
            raise self._changed(image)
        self._shape = image.shape
        frame = Frame(image, self.seq + failed, 0, t_capture_ns, unreadable=failed)
        self.seq += failed + 1
        self.unreadable += failed
        self._since_open += 1
        return frame

    def close(self) -> None:
        """Release the camera."""
        if self._grabber is not None:
            self._grabber.release()
            self._grabber = None

    def _facts(self, grabber: Grabber, fps: float) -> Facts:
        self._grabber = grabber
        self._since_open = 0
        self._shape = ()
        return Facts(
            name=self._name,
            width=int(grabber.get(cv2.CAP_PROP_FRAME_WIDTH)),
            height=int(grabber.get(cv2.CAP_PROP_FRAME_HEIGHT)),
            # above 1000 it is a time base such as RTP's 90 kHz, no rate
            fps=fps if 0 < fps <= 1000 else None,
            first_frame_s=self._first_frame_s,
            stall_s=self._stall_s,
        )

    def _lost(self, longest_s: float, waited_s: float) -> GuideError:
        silent = longest_s >= 0.9 * self._stall_s
        if silent and not self._since_open:
            self._first_frame_s = min(2 * self._first_frame_s, _LONGEST_WAIT_S)
        elif silent and self._since_open <= _FEW and self._stall_s < _SLOWEST_S:
            self._stall_s = min(2 * self._stall_s, _SLOWEST_S)  # from the next opening on
        if silent:
            what = f"{self._name} has sent no frame for {waited_s:.1f} s"
        elif waited_s >= 0.9 * self._stall_s:
            what = f"{self._name} has sent no readable frame for {waited_s:.1f} s"
        else:
            what = f"{self._name} closed after {self.seq - self.unreadable} frames"
        return GuideError(what, "check the camera and its cable or network, then run again")

    def _changed(self, image: Image) -> GuideError:
        old, new = (f"{shape[1]} x {shape[0]}" for shape in (self._shape, image.shape))
        return GuideError(
            f"the picture of {self._name} changed from {old} to {new}",
            "set the camera to one size, then run again",
        )


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
        self._first_frame_s = 10.0
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
            if linux:
                raise GuideError(
                    f"cannot open camera {self._index}: another program uses it, or {device} is "
                    "no camera",
                    f"`fuser -v {device}` names the program; `guide doctor` lists the cameras",
                )
            raise GuideError(f"cannot open camera {self._index}: absent or in use", remedy)
        return self._facts(grabber, grabber.get(cv2.CAP_PROP_FPS))

    def reopen(self) -> Facts:
        """Open the device again after it was lost: it must have got its old number back."""
        self.close()
        return self.open()


class Stream(_Live):
    """A network camera: MJPEG over http, or rtsp.

    A camera that changes its resolution while connected goes on at the first one: OpenCV 5 scales
    its pictures without a word. After a reconnect the change shows, and is a GuideError there.

    Args:
        url: `http://`, `https://` or `rtsp://`.
        stall_s: how long it may stay silent; the first frame has `open_s` on top of that.
        open_s: how long it may take to answer.
        gray: give the decoder's Y plane, H x W, instead of BGR.
        clock: what stamps the frames.
    """

    def __init__(
        self,
        url: str,
        *,
        stall_s: float = 2.0,
        open_s: float = 5.0,
        gray: bool = False,
        clock: Clock | None = None,
    ) -> None:
        super().__init__(clock)
        self._stall_s = stall_s
        self._open_s = open_s
        self._first_frame_s = open_s + stall_s
        self._gray = gray
        self._took_s = 0.0  # to open it, the first time
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
        began = time.monotonic()
        facts = self._connect(self._open_s)
        self._took_s = time.monotonic() - began
        return facts

    def reopen(self) -> Facts:
        """Connect again after a loss: an attempt that fails soon, since there will be others.

        A bare connection comes first. It tells in milliseconds that nobody listens yet; what
        FFmpeg sends to a host that is still starting waits for seconds to be sent again.
        """
        self.close()
        why = self._unreachable(max(_KNOCK_S, min(self._took_s, _REOPEN_S)))
        if why:
            raise self._cannot_open(why)
        return self._connect(min(self._open_s, max(_REOPEN_S, 2 * self._took_s)))

    def _connect(self, open_s: float) -> Facts:
        grabber = Grabber(
            self._url,
            cv2.CAP_FFMPEG,
            (
                cv2.CAP_PROP_OPEN_TIMEOUT_MSEC,
                round(open_s * 1e3),
                cv2.CAP_PROP_READ_TIMEOUT_MSEC,
                round(self._stall_s * 1e3),
                cv2.CAP_PROP_N_THREADS,
                1,  # each further decoder thread holds one more frame back
            ),
            gray=self._gray,
            ffmpeg=_RTSP_OPTIONS if self._url.startswith("rtsp") else "",
        )
        if not grabber.is_open:
            grabber.release()
            host = self._address[0]
            raise self._cannot_open(
                self._unreachable(2.0) or f"{host} answers, but there is no video at this address"
            )
        if self._gray:
            grabber.require_plane(self._name)
        # Motion JPEG carries no rate; the 25 one gets is FFmpeg's guess
        return self._facts(
            grabber, 0.0 if grabber.codec == "MJPG" else grabber.get(cv2.CAP_PROP_FPS)
        )

    def _cannot_open(self, why: str) -> GuideError:
        return GuideError(
            f"cannot open {self._name}: {why}",
            "check the address and that the camera is on, or type --set source=virtual",
        )

    def _unreachable(self, timeout_s: float) -> str:
        """Why no connection can be made; empty when one can. FFmpeg only says no."""
        host, port = self._address
        try:
            socket.create_connection(self._address, timeout=timeout_s).close()
        except (socket.gaierror, UnicodeError):  # UnicodeError: no name can be like this
            return f"no host is called {host}"
        except TimeoutError:
            return f"{host} does not answer"
        except OSError as error:
            return f"{(error.strerror or str(error)).lower()} by {host}, port {port}"
        return ""
