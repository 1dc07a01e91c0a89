"""A mailbox with room for one thing: the newest.

A queue between a camera and a slow consumer fills up, and from then on every frame is as old as
the queue is long. Here a new frame takes the place of the one that nobody fetched: the age of
what is delivered stays flat, and what was given up is counted.
"""

from __future__ import annotations

import threading
from typing import Generic, TypeVar

T = TypeVar("T")


class Mailbox(Generic[T]):
    """One slot between one thread that puts and one that takes.

    >>> box = Mailbox[str]()
    >>> box.put("first"), box.put("second"), box.take(timeout_s=1)
    (None, 'first', 'second')
    >>> box.replaced
    1
    """

    def __init__(self) -> None:
        self._changed = threading.Condition()
        self._held: list[T] = []  # empty or one thing; a thing may be None
        self._closed = False
        self._error: BaseException | None = None
        self.replaced = 0  # things that a newer one took the place of
        self.taken = 0

    def put(self, thing: T) -> T | None:
        """Leave `thing` for the taker; returns what it replaced, or None when the slot was free."""
        with self._changed:
            old = self._held.pop() if self._held else None
            self.replaced += old is not None
            self._held.append(thing)
            self._changed.notify()
            return old

    def take(self, timeout_s: float) -> T | None:
        """Wait for a thing and take it.

        Returns:
            The thing; None when the mailbox is closed and empty.

        Raises:
            TimeoutError: when `timeout_s` passed and nothing came.
            BaseException: the error that `close` was given, once the slot is empty.
        """
        with self._changed:
            if not self._changed.wait_for(lambda: self._held or self._closed, timeout_s):
                raise TimeoutError(f"nothing came in {timeout_s:g} s")
            if self._held:
                self.taken += 1
                return self._held.pop()
            if self._error is not None:
                raise self._error
            return None

    def close(self, error: BaseException | None = None) -> None:
        """Nothing more will come; `error` says why, when it is not simply the end."""
        with self._changed:
            if not self._closed:
                self._closed, self._error = True, error
            self._changed.notify()

    def __len__(self) -> int:
        return len(self._held)
