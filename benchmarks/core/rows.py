"""The rows of the table, and the one way in which all of them are measured."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

PEERS = Path(__file__).parents[2] / "build" / "peers"


@dataclass(frozen=True, slots=True)
class Row:
    """One line of the table; `ok` is None where there is nothing to compare with."""

    figure: str
    ours: str
    peer: str
    ratio: float | None
    goal: str
    ok: bool | None
    spread: str = ""


def interleaved(
    ours: Callable[[], float], peer: Callable[[], float], rounds: int
) -> tuple[float, float, float, str]:
    """Run both in turn, and who goes first in turn too.

    Returns:
        The median of ours, of the peer's, and of the paired ratios ours / peer; and the quartiles
        of those ratios as text.
    """
    pairs = []
    for i in range(rounds):
        if i % 2:
            b = peer()
            pairs.append((ours(), b))
        else:
            a = ours()
            pairs.append((a, peer()))
    ratios = sorted(a / b for a, b in pairs)
    quarter = statistics.quantiles(ratios, n=4)
    return (
        statistics.median(a for a, _ in pairs),
        statistics.median(b for _, b in pairs),
        statistics.median(ratios),
        f"{quarter[0]:.2f} to {quarter[2]:.2f}",
    )


def with_peers() -> None:
    """Let the peers of benchmarks/peers.txt be imported, after everything of our own."""
    if str(PEERS) not in sys.path:
        sys.path.append(str(PEERS))
