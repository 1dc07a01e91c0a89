"""How frames get from a source to the loop: all of them, or the latest.

`Lossless` reads in order on the loop's own thread: right for a file, where nothing is late.
`Latest` reads on a thread of its own into a one-slot mailbox: right for whatever goes on while
we work. Its thread never waits for the consumer, so neither the socket nor the driver fills up
behind it; that hidden queue is where the seconds of lag of a plain `VideoCapture` loop sit.
"""

from __future__ import annotations

import queue
import threading
import time
from collections.abc import Callable
from typing import Protocol, TypeVar

from guide.errors import GuideError
from guide.timing import Timeline
from guide_vision.pipeline.books import Books
from guide_vision.pipeline.frame import Facts, Frame, Image, Source
from guide_vision.pipeline.mailbox import Mailbox

# What the consumer grants on top of the source's own time-out before it gives up on its thread.
_GRACE_S = 0.5

# How often a wait looks whether the run is to end, and how long the end may then take.
_SLICE_S = 0.1
_PATIENCE_S = 2.0

T = TypeVar("T")


def _never() -> bool:
    return False


class Link(Protocol):
    """One consumer's end of a source."""

    books: Books
    reallocated: int  # frames that came in memory which was not the link's

    def open(self) -> Facts:
        """Open the source. Raises GuideError when it cannot be."""
        ...

    def take(self) -> Frame | None:
        """Wait for the next frame; None at the end or when the run stops.

        It is valid until the next call.
        """
        ...

    def close(self) -> Books:
        """Release the source and settle the books. Tolerates a link that never opened."""
        ...


class Lossless:
    """Every frame, in order, read when it is asked for; one buffer in all.

    Records the span "capture".
    """

    def __init__(self, source: Source, timeline: Timeline | None = None) -> None:
        self.books = Books()
        self.reallocated = 0
        self._source = source
        self._timeline = timeline or Timeline()
        self._buffer: Image | None = None

    def open(self) -> Facts:
        """Open the source."""
        return self._source.open()

    def take(self) -> Frame | None:
        """Read the next frame; None at the end of the recording."""
        with self._timeline.span("capture"):
            frame = self._source.read(self._buffer)
        if frame is None:
            return None
        self.books.captured += 1 + frame.unreadable
        self.books.unreadable += frame.unreadable
        self.books.delivered += 1
        self.reallocated += self._buffer is not None and frame.image is not self._buffer
        self._buffer = frame.image
        return frame

    def close(self) -> Books:
        """Release the source."""
        self._source.close()
        return self.books


class Latest:
    """The newest frame, from a capture thread; three buffers in all.

    One buffer is being written, one lies in the mailbox, one is with the consumer. Records the
    span "camera" (waiting for the camera, then decoding) on its own thread and "wait" (the
    consumer had nothing to do) on the loop's.

    Args:
        source: what is read.
        timeline: where the spans go.
        stopping: asked during every wait; once it says yes, the wait is over.
    """

    def __init__(
        self,
        source: Source,
        timeline: Timeline | None = None,
        stopping: Callable[[], bool] = _never,
    ) -> None:
        self.books = Books()
        self.reallocated = 0
        self.abandoned = False  # its thread was still inside the driver when the link closed
        self._source = source
        self._timeline = timeline or Timeline()
        self._mailbox: Mailbox[Frame] = Mailbox()
        self._free: queue.SimpleQueue[Image] = queue.SimpleQueue()
        self._lent: Image | None = None
        self._stopping = stopping
        self._opened: Mailbox[Facts] = Mailbox()
        self._facts: Facts | None = None
        self._stop = threading.Event()
        # A daemon: a driver that never returns must not hold up the end of the program.
        self._thread = threading.Thread(target=self._capture, name="capture", daemon=True)

    def open(self, timeout_s: float = 15.0) -> Facts:
        """Open the source on the capture thread; GuideError when that takes over `timeout_s`."""
        self._thread.start()
        try:
            self._facts = self._wait(self._opened, timeout_s)
        except TimeoutError:
            raise GuideError(
                f"the source did not open within {timeout_s:g} s",
                "check that it is on and reachable, or type --set source=virtual",
            ) from None
        if self._facts is None:
            raise GuideError("stopped before the source was open", "run again")
        return self._facts

    def take(self) -> Frame | None:
        """Wait for a frame newer than the last one; GuideError when the source went silent."""
        if self._facts is None:
            raise RuntimeError("open() the link before you take() from it")
        if self._lent is not None:
            self._free.put(self._lent)
            self._lent = None
        facts = self._facts
        allowed_s = (facts.stall_s if self.books.delivered else facts.first_frame_s) + _GRACE_S
        try:
            with self._timeline.span("wait"):
                frame = self._wait(self._mailbox, allowed_s)
        except TimeoutError:
            raise GuideError(
                f"{facts.name} has shown nothing for {allowed_s:g} s, its driver does not answer",
                "unplug it and plug it in again, or type --set source=virtual",
            ) from None
        if frame is not None:
            self.books.delivered += 1
            self._lent = frame.image
        return frame

    def close(self) -> Books:
        """Stop the capture thread, which owns the source and releases it, and settle the books."""
        self._stop.set()
        if self._thread.ident is not None:
            allowed_s = self._facts.stall_s if self._facts else 0
            self._thread.join(min(allowed_s, _PATIENCE_S) + _GRACE_S)
            # release() while another thread sits in read() crashes inside OpenCV: leave it be.
            self.abandoned = self._thread.is_alive()
        self.books.dropped = self._mailbox.replaced
        self.books.in_flight = len(self._mailbox)
        return self.books

    def _wait(self, mailbox: Mailbox[T], allowed_s: float) -> T | None:
        """Take from `mailbox`; None when it is closed, or when the run is to stop."""
        end_s = time.monotonic() + allowed_s
        while not self._stopping():
            left_s = end_s - time.monotonic()
            try:
                return mailbox.take(min(left_s, _SLICE_S))
            except TimeoutError:
                if left_s <= _SLICE_S:
                    raise
        return None

    def _capture(self) -> None:
        self._timeline.name_thread("capture")
        try:
            self._opened.put(self._source.open())
            while not self._stop.is_set() and self._capture_one():
                pass
            self._mailbox.close()
        except BaseException as error:
            # Whatever it is, the consumer's thread must hear of it: nobody listens here.
            self._opened.close(error)
            self._mailbox.close(error)
        finally:
            self._source.close()

    def _capture_one(self) -> bool:
        try:
            into: Image | None = self._free.get_nowait()
        except queue.Empty:
            into = None  # only the first few times: then the three buffers go round
        with self._timeline.span("camera", flow=self.books.captured):
            frame = self._source.read(into)
        if frame is None:
            return False
        self.books.captured += 1 + frame.unreadable
        self.books.unreadable += frame.unreadable
        self.reallocated += into is not None and frame.image is not into
        if (replaced := self._mailbox.put(frame)) is not None:
            self._free.put(replaced.image)
        return True


def link_for(
    source: Source, timeline: Timeline | None = None, stopping: Callable[[], bool] = _never
) -> Link:
    """The link that fits: `Latest` for what is live, `Lossless` for what can wait."""
    return Latest(source, timeline, stopping) if source.live else Lossless(source, timeline)
