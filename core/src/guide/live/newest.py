"""The newest of something, for all who look: a slot of one, so that nothing can queue up."""

from __future__ import annotations

import threading
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Generic, TypeVar

T = TypeVar("T")


class Newest(Generic[T]):
    """Hands the newest value to any number of threads, each at its own pace.

    Whoever is slow misses values; nobody waits for it. Safe from any thread.

    Attributes:
        lookers: how many are within `looking` now.
        closed: whether no more values will come.
        number: of the newest value; 0 before the first.
    """

    def __init__(self) -> None:
        self.lookers = 0
        self.closed = False
        self._changed = threading.Condition()
        self._value: T | None = None
        self.number = 0

    @contextmanager
    def looking(self) -> Iterator[None]:
        """Within the block, one more looks: what is shown is worth making."""
        with self._changed:
            self.lookers += 1
            self._changed.notify_all()
        try:
            yield
        finally:
            with self._changed:
                self.lookers -= 1
                self._changed.notify_all()

    def wanted(self, timeout_s: float | None = None) -> bool:
        """Wait until somebody looks; returns whether somebody does, which is not so once closed."""
        with self._changed:
            self._changed.wait_for(lambda: self.lookers or self.closed, timeout_s)
            return self.lookers > 0 and not self.closed

    def put(self, value: T) -> None:
        """Make `value` the newest, unless the last one has been."""
        with self._changed:
            if self.closed:
                return
            self._value = value
            self.number += 1
            self._changed.notify_all()

    def get(self, seen: int = 0, timeout_s: float | None = None) -> tuple[int, T | None]:
        """Wait for a value newer than number `seen`.

        Returns:
            Its number and the value; `seen` and None when none came in time, or none will.
        """
        with self._changed:
            self._changed.wait_for(lambda: self.number > seen or self.closed, timeout_s)
            return (self.number, self._value) if self.number > seen else (seen, None)

    def close(self, last: T | None = None, timeout_s: float = 0.0) -> None:
        """No more values come, but for this last one.

        Waits, for `timeout_s` at most, until all who look have taken it and left.
        """
        if last is not None:
            self.put(last)
        with self._changed:
            self.closed = True
            self._changed.notify_all()
            self._changed.wait_for(lambda: not self.lookers, timeout_s)
