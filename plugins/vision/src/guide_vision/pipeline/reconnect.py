"""A live source that comes back: lost, it is opened again until it answers or patience ends.

What was tracked before a loss is void after it, so each return raises `Frame.epoch` by one, and
only frames of the new connection are delivered; `Frame.seq` goes on counting. Every attempt to
open runs on a thread of its own, because an opening cannot be called back: whoever waits for it
here is released at once by `cancel()`, by `stopping`, or by Ctrl-C.
"""

from __future__ import annotations

import atexit
import threading
import time
from collections.abc import Callable
from dataclasses import replace
from typing import Protocol

from guide.errors import GuideError
from guide_vision.pipeline.frame import Facts, Frame, Image, Source

_FIRST_PAUSE_S = 0.05
_LONGEST_PAUSE_S = 0.15  # what a camera's return may go unnoticed
_AT_EXIT_S = 6.0  # longer than any opening
_SLICE_S = 0.02  # how often a wait asks `stopping`


class Reopenable(Source, Protocol):
    """A live source that can be opened again after a loss."""

    def reopen(self) -> Facts:
        """One attempt, which fails soon. Raises GuideError when it does."""
        ...


def _never() -> bool:
    return False


class _Attempt:
    """One `reopen()` on a thread of its own."""

    def __init__(self, source: Reopenable) -> None:
        self._source = source
        self._lock = threading.Lock()
        self._abandoned = False
        self.over = threading.Event()
        self.facts: Facts | None = None
        self.error: BaseException | None = None
        # A daemon: an opening that never returns must not hold up the end of the program
        self._thread = threading.Thread(target=self._open, name="reopen", daemon=True)
        # but one that will return is waited for: FFmpeg does not survive the end beneath it
        atexit.register(self._thread.join, _AT_EXIT_S)
        self._thread.start()

    def abandon(self) -> bool:
        """Leave the source to the thread, which closes it; False when it is through already."""
        with self._lock:
            self._abandoned = not self.over.is_set()
            return self._abandoned

    def _open(self) -> None:
        try:
            self.facts = self._source.reopen()
        except BaseException as error:
            self.error = error  # for the thread that waits
        with self._lock:
            self.over.set()
            if self._abandoned:
                self._source.close()
        atexit.unregister(self._thread.join)


class Reconnecting:
    """Wraps a live source so that a loss is a gap in time and not the end.

    Args:
        source: a `Camera` or a `Stream`.
        give_up_s: how long after a loss it is tried again; then the loss is a GuideError.
        stopping: asked 50 times a second while there is no camera; yes ends the attempts.

    Attributes:
        reconnects: how often it came back.
        epoch: of the frames now delivered.
        damaged: frames that came but could not be decoded.
        away_s: seconds without the camera, from each loss noticed to the next frame, in all.
        lost: why there is no camera right now; empty when there is one. Any thread may read it.
    """

    live = True

    def __init__(
        self,
        source: Reopenable,
        *,
        give_up_s: float = 30.0,
        stopping: Callable[[], bool] = _never,
    ) -> None:
        self._source = source
        self._give_up_s = give_up_s
        self._stopping = stopping
        self._cancelled = threading.Event()
        self._attempt: _Attempt | None = None
        self._facts: Facts | None = None
        self._lost_at: float | None = None
        self._pause_s = _FIRST_PAUSE_S
        self._why = ""  # the last attempt failed
        self.reconnects = 0
        self.epoch = 0
        self.damaged = 0
        self.away_s = 0.0
        self.lost = ""

    def open(self) -> Facts:
        """Open the source, once: who mistyped an address wants to know at once.

        The time-outs stated are those of `read()` as a whole, attempts included.
        """
        self._facts = facts = self._source.open()
        wait_s = facts.first_frame_s + self._give_up_s
        return replace(facts, first_frame_s=wait_s, stall_s=wait_s + facts.stall_s)

    def read(self, into: Image | None = None) -> Frame | None:
        """The next frame; after a loss the first one of the new connection.

        Returns:
            The frame; None when it was cancelled or is to stop.

        Raises:
            GuideError: when the source did not come back in time, or with another picture size.
        """
        facts = self._facts
        if facts is None:
            raise RuntimeError("open() the source before you read() from it")
        while not self._over():
            try:
                frame = self._source.read(into)
            except GuideError as loss:
                if not self._reopen(loss):
                    return None
                continue
            if frame is not None:
                self._arrived(frame, facts)
            return frame
        return None

    def cancel(self) -> None:
        """End `read()`, now and from now on, with None. From any thread."""
        self._cancelled.set()

    def close(self) -> None:
        """Release the source; one that is still being opened is released when that is over."""
        self._cancelled.set()
        if self._attempt is None or not self._attempt.abandon():
            self._source.close()

    def _over(self) -> bool:
        return self._cancelled.is_set() or self._stopping()

    def _arrived(self, frame: Frame, facts: Facts) -> None:
        height, width = frame.image.shape[:2]
        if self._lost_at is not None:
            if (width, height) != (facts.width, facts.height) and facts.width:
                raise GuideError(
                    f"{facts.name} came back with a picture of {width} x {height} instead of "
                    f"{facts.size}",
                    "set the camera to one size, then run again",
                )
            self.away_s += time.monotonic() - self._lost_at
            self._lost_at, self.lost = None, ""
            self.reconnects += 1
            self.epoch += 1
        frame.epoch = self.epoch
        self.damaged += frame.unreadable

    def _reopen(self, loss: GuideError) -> bool:
        """Open the source again; False when it is to stop, GuideError when patience ends."""
        if self._lost_at is None:
            self._lost_at, self.lost = time.monotonic(), loss.message
            self._pause_s = _FIRST_PAUSE_S
            self._why = ""
        elif not self._pause():  # a connection that never showed a frame
            return False
        end = self._lost_at + self._give_up_s
        while time.monotonic() < end:
            attempt = self._attempt = _Attempt(self._source)
            if not self._wait(attempt.over, end):
                return False
            if not attempt.over.is_set():
                break  # its thread is left with it
            self._attempt = None
            if attempt.error is None:
                return True
            if not isinstance(attempt.error, GuideError):
                raise attempt.error
            self._why = f" ({attempt.error.message})"
            if not self._pause():
                return False
        raise GuideError(
            f"{self.lost}, and did not come back within {self._give_up_s:g} s{self._why}",
            "check the camera and its cable or network, then run again",
        )

    def _pause(self) -> bool:
        """Wait until the next attempt; False when everything is to stop."""
        pause_s, self._pause_s = self._pause_s, min(1.25 * self._pause_s, _LONGEST_PAUSE_S)
        return self._wait(self._cancelled, time.monotonic() + pause_s)

    def _wait(self, event: threading.Event, end: float) -> bool:
        """Wait for `event`, or until `end`; False when everything is to stop."""
        while not self._over():
            left_s = end - time.monotonic()
            if left_s <= 0 or (event.wait(min(left_s, _SLICE_S)) and event is not self._cancelled):
                return True
        return False
