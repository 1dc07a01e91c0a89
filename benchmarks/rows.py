"""The rows of a table, and the one way in which all of them are measured."""

from __future__ import annotations

import datetime
import os
import platform
import statistics
import sys
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

HEAD = """\
| figure | ours | peer | ratio | quartiles | goal | met |
| --- | --- | --- | --- | --- | --- | --- |"""
PEERS = Path(__file__).parents[1] / "build" / "peers"


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
    return paired([a for a, _ in pairs], [b for _, b in pairs])


def paired(ours: Sequence[float], peer: Sequence[float]) -> tuple[float, float, float, str]:
    """What `interleaved` returns, for two lists that were measured in turn."""
    ratios = sorted(a / b for a, b in zip(ours, peer, strict=True))
    quarter = statistics.quantiles(ratios, n=4) if len(ratios) > 1 else [ratios[0]] * 3
    return (
        statistics.median(ours),
        statistics.median(peer),
        statistics.median(ratios),
        f"{quarter[0]:.2f} to {quarter[2]:.2f}",
    )


def line(row: Row) -> str:
    """A row of the Markdown table."""
    ratio = "" if row.ratio is None else f"{row.ratio:.3g}"
    met = {True: "yes", False: "NO", None: "-"}[row.ok]
    cells = (row.figure, row.ours, row.peer, ratio, row.spread, row.goal, met)
    return "| " + " | ".join(cells) + " |"


def machine(*versions: str) -> str:
    """Date, machine and versions, for the head of a table that is kept."""
    try:
        lines = Path("/proc/cpuinfo").read_text().splitlines()
        cpu = next(x.partition(":")[2].strip() for x in lines if x.startswith("model name"))
    except (OSError, StopIteration):
        cpu = platform.processor() or platform.machine()
    load = (
        f", load average {os.getloadavg()[0]:.1f} at the start" if hasattr(os, "getloadavg") else ""
    )
    return (
        f"{datetime.date.today():%d %B %Y}, {os.cpu_count()} threads of {cpu}, "
        f"{platform.system()} {platform.release()}, CPython {platform.python_version()}, "
        f"{', '.join(versions)}{load}."
    )


def with_peers() -> None:
    """Let the peers in build/peers be imported, after everything of our own."""
    if str(PEERS) not in sys.path:
        sys.path.append(str(PEERS))
