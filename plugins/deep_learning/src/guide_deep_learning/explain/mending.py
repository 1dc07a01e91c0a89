"""Remedies that can be tried on a running program: a switch that is set for its last few steps.

Nothing that a program computes depends on these; and it is ended after them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

import torch

from guide_deep_learning.explain.calibrating import cores

_BLOCK, _LONG_BLOCK = 3, 2  # steps of one kind in a row; the first of them is not counted


@dataclass(frozen=True, slots=True)
class Mend:
    """Something to switch, and to switch back."""

    what: str  # "threads", "anomaly"
    do: Callable[[], object]
    undo: Callable[[], object]
    threads: int = 0  # with how many it is tried


def mend_for(threads: int, others: float = 0.0) -> Mend | None:
    """What to try on a program as it is now; the costlier fault first.

    Args:
        threads: with how many torch computes.
        others: how many cores other programs keep busy: of threads that have to share a core each
            operator waits for the last, so there are as many as there are cores left.
    """
    if torch.is_anomaly_enabled():
        check = torch.is_anomaly_check_nan_enabled()
        return Mend(
            "anomaly",
            lambda: torch.set_anomaly_enabled(False),
            lambda: torch.set_anomaly_enabled(True, check),
        )
    if threads > cores():
        fewer = max(cores() - round(others), 1)
        return Mend(
            "threads",
            lambda: torch.set_num_threads(fewer),
            lambda: torch.set_num_threads(threads),
            fewer,
        )
    return None


class Trial:
    """A remedy that is switched on and off in turn, in blocks of a few steps.

    What else the machine does comes and goes in seconds; in turn, it meets both sides alike.

    Args:
        mend: it.
        enough: says of the steps of one side whether they are enough.
        long: whether a step takes so long that the blocks have to be short.

    Attributes:
        with_ns: of the steps that were timed as the program is.
        without_ns: of those with it mended.
    """

    def __init__(self, mend: Mend, enough: Callable[[list[int]], bool], long: bool) -> None:
        self._mend, self._enough = mend, enough
        self._block = _LONG_BLOCK if long else _BLOCK
        self._at, self._mended = 0, False
        self.with_ns: list[int] = []
        self.without_ns: list[int] = []

    def step(self, took_ns: int) -> bool:
        """A step has taken so long. Whether that was the last one that is needed."""
        # A switch may come in the midst of a step's work: the one that follows it is of both kinds
        if self._at:
            (self.without_ns if self._mended else self.with_ns).append(took_ns)
        self._at += 1
        if self._at < self._block:
            return False
        self._at = 0
        if self._mended and self._enough(self.with_ns) and self._enough(self.without_ns):
            self.over()
            return True
        (self._mend.undo if self._mended else self._mend.do)()
        self._mended = not self._mended
        return False

    def over(self) -> None:
        """Leave the program as it was."""
        if self._mended:
            self._mended = False
            self._mend.undo()

    def said(self) -> dict[str, Any]:
        """What came of it, for the trace; nothing where a side was not timed."""
        if not (self.with_ns and self.without_ns):
            return {}
        return {
            "what": self._mend.what,
            "with": usual(self.with_ns),
            "without": usual(self.without_ns),
            "steps": min(len(self.with_ns), len(self.without_ns)),
            "threads": self._mend.threads,
        }


def usual(taken: list[int]) -> int:
    """The lower quartile: what is done besides only adds to a step, and not to each of them."""
    return sorted(taken)[len(taken) // 4]
