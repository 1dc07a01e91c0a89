"""Nurseries that stay: who judges many exercises imports what they need once, not each time."""

from __future__ import annotations

import sys
from collections.abc import Sequence
from types import TracebackType

from guide.judge.workers import Nursery


class Nurseries:
    """One nursery for each set of imports and number of threads, until it is closed.

    A worker finds in it what it would find in a nursery of its own, and nothing of the workers
    before it: each is forked anew.
    """

    def __init__(self) -> None:
        self._kept: dict[tuple[tuple[str, ...], int], Nursery] = {}

    def of(self, needs: Sequence[str], threads: int) -> Nursery | None:
        """The one that has imported `needs`; None where a system has no nurseries.

        Raises:
            GuideError: when something needed is not installed.
        """
        if sys.platform == "win32":
            return None
        key = tuple(needs), threads
        if key not in self._kept:
            self._kept[key] = Nursery(needs, threads)
        return self._kept[key]

    def close(self) -> None:
        """End them all."""
        for nursery in self._kept.values():
            nursery.close()
        self._kept.clear()

    def __enter__(self) -> Nurseries:
        return self

    def __exit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        at: TracebackType | None,
    ) -> None:
        self.close()
