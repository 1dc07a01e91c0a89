"""Batches for a loop, made ahead by a thread."""

import queue
import threading
from collections.abc import Callable, Iterator
from typing import Any


def batches(make: Callable[[int], Any], count: int) -> Iterator[Any]:
    """make(0), make(1) ... make(count - 1), in order."""
    # One under way and two that wait: with the one in use there are four.
    waiting: queue.Queue[tuple[Any, BaseException | None]] = queue.Queue(maxsize=2)
    stop = threading.Event()

    def put(item: tuple[Any, BaseException | None]) -> None:
        while not stop.is_set():  # a put that waits for ever would outlive the loop
            try:
                waiting.put(item, timeout=0.05)
                return
            except queue.Full:
                continue

    def work() -> None:
        for number in range(count):
            if stop.is_set():
                return
            try:
                put((make(number), None))
            except BaseException as error:  # the loop's to see, whatever it is
                put((None, error))
                return

    thread = threading.Thread(target=work, daemon=True)
    thread.start()
    try:
        for _ in range(count):
            batch, error = waiting.get()
            if error is not None:
                raise error
            yield batch
    finally:  # the end, an error, or a loop that broke off
        stop.set()
        thread.join()
