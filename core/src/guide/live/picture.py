"""The picture of a run on its way to the browsers: taken between ticks, encoded beside the loop.

    encoder's thread                         loop's thread, between ticks
    somebody looks, and time has passed:
    asks                          ------->   sees it; is there time before the next tick?
                                             takes the picture, copies it
    encodes it, once for all      <-------   hands it over, goes on
    rests

The loop is never waited for and never waits: it looks at a flag, and hands over through a queue
that holds one thing at most, because nothing is handed over that was not asked for.
"""

from __future__ import annotations

import queue
import threading
import time
from typing import TYPE_CHECKING

import numpy as np
from numpy.typing import NDArray

from guide.live.encoding import WIDTH, Encoder
from guide.live.newest import Newest

if TYPE_CHECKING:
    from guide.run import Run

_EVERY_NS = 66_000_000  # 15 pictures a second at most
_SECOND_NS = 1_000_000_000
_SPARE = 2  # a picture is taken in time that is left, if twice what it needs is left
_SHARE = 50  # of the time of a loop that runs free, a picture may take one part in so many
_LOAD = 3  # the encoder rests three times as long as it worked


class Pictures:
    """Takes a run's picture while somebody looks, and makes bytes of it.

    Args:
        run: whose picture.
        encoder: makes the bytes.

    Attributes:
        newest: the encoded picture, for all who look.
        encoded: how many were encoded so far.
        taken: how many were taken from the loop so far.
        asked: whether the encoder waits for one.
    """

    def __init__(self, run: Run, encoder: Encoder) -> None:
        self.newest: Newest[bytes] = Newest()
        self.encoder = encoder
        self.encoded = self.taken = 0
        self._run = run
        self._free = run.loop.rate_hz is None
        self.asked = False
        self._handed: queue.SimpleQueue[NDArray[np.uint8] | None] = queue.SimpleQueue()
        self._copy: NDArray[np.uint8] | None = None
        self._took_ns = 2_000_000  # what taking one costs: a guess, then what it did cost
        self._last_ns = run.clock.now_ns() - _SECOND_NS
        self._thread = threading.Thread(target=self._encode, name="guide-live-picture", daemon=True)

    def start(self) -> None:
        """Begin to wait for somebody who looks."""
        self._thread.start()

    def close(self) -> None:
        """No more pictures."""
        self.newest.close()
        self._handed.put(None)

    def between(self, left_ns: int) -> bool:
        """Take a picture if one is asked for and there is time; on the loop's thread, no tick runs.

        A loop that never has time left gives one a second all the same; one that runs free, and so
        has none left by nature, gives a fiftieth of its time. Returns whether time was taken.
        """
        if not self.asked or not self.newest.lookers:
            return False
        now_ns = self._run.clock.now_ns()
        if left_ns < _SPARE * self._took_ns:
            patience_ns = _SECOND_NS
            if self._free:
                patience_ns = min(max(_SHARE * self._took_ns, _EVERY_NS), _SECOND_NS)
            if now_ns - self._last_ns < patience_ns:
                return False
        self.asked = False
        with self._run.timeline.span("live picture"):  # its price is to be seen
            image = self._run.look()
            copy = None if image is None else self._copied(image)
        self._last_ns = self._run.clock.now_ns()
        # One that the machine interrupted must not cost a loop its pictures for long.
        self._took_ns = (self._took_ns + self._last_ns - now_ns) // 2
        if copy is None:
            self.asked = self._run.has_picture  # none yet: the request stands
        else:
            self.taken += 1
            self._handed.put(copy)
        return True

    def _copied(self, image: NDArray[np.uint8]) -> NDArray[np.uint8]:
        """A copy in memory that is used again and again: fresh pages would double its price."""
        step = max(image.shape[1] // (2 * WIDTH), 1)  # the encoder makes the rest of the way
        rows = image[::step]  # whole ones: they copy fastest
        if self._copy is None or self._copy.shape != rows.shape:
            self._copy = np.empty(rows.shape, np.uint8)
        np.copyto(self._copy, rows)
        return self._copy[:, ::step]

    def _encode(self) -> None:
        while self.newest.wanted():
            self.asked = True
            image = self._handed.get()
            if image is None:
                return
            if not self.newest.lookers:
                continue
            began_ns = time.perf_counter_ns()
            try:
                data = self.encoder.encode(image)
            except Exception as error:  # the run is worth more than its picture
                self._run.note(f"no live picture: {type(error).__name__}: {error}")
                return
            self.encoded += 1
            self.newest.put(data)
            took_ns = time.perf_counter_ns() - began_ns
            time.sleep(max(_EVERY_NS - took_ns, _LOAD * took_ns) / 1e9)
