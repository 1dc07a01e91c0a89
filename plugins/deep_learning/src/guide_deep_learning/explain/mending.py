"""Remedies that can be tried on a running program: a switch that is set for its last few steps.

Nothing that a program computes depends on these; and it is ended after them.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch

from guide_deep_learning.explain.calibrating import cores


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
