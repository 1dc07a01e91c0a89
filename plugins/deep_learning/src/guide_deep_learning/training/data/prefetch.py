"""Batches computed ahead of the loop, by threads, and handed over in order.

A batch is a pure function of its number, so there is nothing to hand to a worker but numbers, and
nothing to collect but results: any number of workers gives the same batches, bit for bit.

Threads and not processes, because handing a batch over costs. Measured as CPU time, for 256
augmented images of 28 x 28: 0.4 ms a batch in the loop itself, 1.0 to 1.1 times that with threads,
1.5 to 2.5 times with processes, which pickle it into a pipe. In place that batch was a seventh of
the CPU time of a small convolutional net's step; taking it from threads was 0.03 ms. A `batch_of`
that computes in Python itself holds the GIL, and threads then gain nothing. The figures of
`benchmarks/deep_learning/data.py` say how it is on a machine of one's own.

At most `depth` batches exist at a time: those under way, those that wait and the one handed out
last. A worker that is ahead by that much sleeps. The loop waits only when the next batch is not
ready; that time is its span "data", and is counted here as a stall.
"""

from __future__ import annotations

import atexit
import threading
import weakref
from collections.abc import Callable
from dataclasses import dataclass
from functools import partial
from typing import Any, Generic, TypeVar

from guide.clock import SystemClock
from guide.errors import GuideError
from guide.timing import Timeline

Batch = TypeVar("Batch")


@dataclass(frozen=True, slots=True)
class _Failed:
    error: BaseException


class _Shared(Generic[Batch]):
    """What workers and loop share. Workers hold this and no `Prefetch`, which may so be dropped."""

    def __init__(self, batch_of: Callable[[int], Batch], depth: int, first: int) -> None:
        self.batch_of = batch_of
        self.depth = depth
        self.lock = threading.RLock()
        self.room = threading.Condition(self.lock)
        self.came = threading.Condition(self.lock)
        self.ready: dict[int, Batch | _Failed] = {}
        self.claim = first  # the number that the next free worker takes
        self.turn = 0  # grows with each seek: what belongs to an older one is dropped
        self.under_way = 0
        self.held = 0  # 1 while the batch handed out last is kept
        self.closed = False

    def full(self) -> bool:
        return self.under_way + len(self.ready) + self.held >= self.depth

    def seek(self, number: int) -> None:
        with self.lock:
            self.ready.clear()
            self.claim, self.held = number, 0
            self.turn += 1
            self.room.notify_all()

    def stop(self) -> None:
        with self.lock:
            self.closed = True
            self.ready.clear()
            self.room.notify_all()
            self.came.notify_all()

    def work(self) -> None:
        while True:
            with self.lock:
                while self.full() and not self.closed:
                    self.room.wait()
                if self.closed:
                    return
                number, turn = self.claim, self.turn
                self.claim += 1
                self.under_way += 1
            try:
                batch: Batch | _Failed = self.batch_of(number)
            except BaseException as error:  # whatever it is, it is the loop's to handle
                batch = _Failed(error)
            with self.lock:
                self.under_way -= 1
                if turn == self.turn and not self.closed:
                    self.ready[number] = batch
                    self.came.notify_all()
                else:
                    self.room.notify()
            del batch  # while this thread sleeps, it must not be the one that keeps it


class Prefetch(Generic[Batch]):
    """Computes batch_of(first), batch_of(first + 1) ... ahead; a context manager.

    It can be called, so that it stands where `batch_of` stood.

    Args:
        batch_of: the batch of a number: a pure function, called in several threads at once.
        workers: threads; 0 computes in `get`, in the loop itself.
        depth: batches that may exist at a time.
        first: the number that `get` will be asked for first.
        pin: hand out page-locked memory, from which a GPU copies while others compute. It is
            numpy's arrays all the same; without CUDA it changes nothing.
        timeline: where the counter "batches ready" goes, and whose clock measures stalls.

    Attributes:
        stalls: how often `get` had to wait.
        stall_ns: for how long, in all.

    Raises:
        GuideError: when `workers` is negative or `depth` less than 1.
    """

    def __init__(
        self,
        batch_of: Callable[[int], Batch],
        workers: int = 2,
        depth: int = 4,
        first: int = 0,
        pin: bool = False,
        *,
        timeline: Timeline | None = None,
    ) -> None:
        if workers < 0:
            raise GuideError(f"workers are 0 (none) or more, not {workers}")
        if depth < 1:
            raise GuideError(f"depth is 1 or more, not {depth}: the batch in use is one of them")
        self.stalls = 0
        self.stall_ns = 0
        self._timeline = timeline
        self._now_ns = timeline.now_ns if timeline else SystemClock().now_ns
        self._next = first
        self._waited = False  # whether the newest `get` did
        self._last: tuple[int, Batch] | None = None
        self._shared = _Shared(_pinned(batch_of) if pin else batch_of, depth, first)
        self._threads = [
            threading.Thread(target=self._shared.work, name=f"batches {n}", daemon=True)
            for n in range(workers)
        ]
        self._end = partial(_end, self._shared, self._threads)
        if self._threads:
            atexit.register(self._end)  # a thread inside torch must not outlive the interpreter
        # Dropped without `close`, its threads end too. They are not joined there: what collects
        # garbage may be one of them.
        weakref.finalize(self, _drop, self._shared, self._end).atexit = False
        for thread in self._threads:
            thread.start()

    def get(self, number: int) -> Batch:
        """The batch of that number; waits until it is there.

        Cheap for the number after the last, and for the last again. Any other one is sought: what
        was computed ahead is dropped, and the result is the same.

        Raises:
            Exception: what `batch_of` raised for this number, as itself, as often as it is asked
                for; `seek` makes it be tried again.
            RuntimeError: when it is closed.
        """
        if self._last is not None and self._last[0] == number:
            return self._last[1]
        if number != self._next:
            self.seek(number)
        self._last = None  # before its memory is promised to a worker
        if self._timeline is not None:
            self._timeline.counter("batches ready", self.ready)
        began = self._now_ns()
        try:
            batch = self._wait(number) if self._threads else self._here(number)
        finally:
            waited = self._now_ns() - began
            if self._waited:
                self.stalls += 1
                self.stall_ns += waited
        self._last, self._next = (number, batch), number + 1
        return batch

    __call__ = get

    @property
    def ready(self) -> int:
        """Batches that are computed and wait."""
        return len(self._shared.ready)

    def seek(self, number: int) -> None:
        """Go on with this number, dropping what was computed ahead."""
        self._last, self._next = None, number
        self._shared.seek(number)

    def close(self) -> None:
        """End the threads, and wait until they have ended."""
        self._last = None
        self._end()
        atexit.unregister(self._end)

    def _wait(self, number: int) -> Batch:
        shared = self._shared
        with shared.lock:
            shared.held = 0
            self._waited = number not in shared.ready
            if self._waited:
                shared.room.notify()
            while number not in shared.ready:
                if shared.closed:
                    raise RuntimeError("this Prefetch is closed")
                shared.came.wait()
            found = shared.ready[number]
            if isinstance(found, _Failed):
                raise found.error
            del shared.ready[number]
            shared.held = 1
            # Last: a worker that wakes up wants the GIL, and the loop has its batch by then.
            shared.room.notify()
            return found

    def _here(self, number: int) -> Batch:
        self._waited = True
        if self._shared.closed:
            raise RuntimeError("this Prefetch is closed")
        return self._shared.batch_of(number)

    def __enter__(self) -> Prefetch[Batch]:
        return self

    def __exit__(self, *error: object) -> None:
        self.close()


def _end(shared: _Shared[Any], threads: list[threading.Thread]) -> None:
    shared.stop()
    for thread in threads:
        if thread is not threading.current_thread():
            thread.join()


def _drop(shared: _Shared[Any], end: Callable[[], None]) -> None:
    shared.stop()
    atexit.unregister(end)


def _pinned(batch_of: Callable[[int], Batch]) -> Callable[[int], Batch]:
    """The same, in page-locked memory, where there is CUDA to profit from it."""
    import torch  # here: nothing else in this module needs it

    if not torch.cuda.is_available():
        return batch_of

    def pin(array: Any) -> Any:
        # As an array again, which keeps the page-locked memory alive; torch.from_numpy finds out
        # by its address that it is.
        return torch.from_numpy(array).pin_memory().numpy()

    def pinned(number: int) -> Any:
        batch = batch_of(number)
        return tuple(map(pin, batch)) if isinstance(batch, tuple) else pin(batch)

    return pinned
