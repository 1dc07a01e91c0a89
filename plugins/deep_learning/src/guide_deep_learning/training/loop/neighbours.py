"""Who else computes on this machine, asked before torch is loaded.

The threads of an operation meet at its end, and spin until the last one is there: that is the
fastest way while each has a core of its own. When another program takes one of the cores, all spin
until it gives it back, at each of hundreds of operations a step: one busy neighbour was measured
to double the time of a step, and several to make it fourteen times as long. Threads that sleep
instead lose little to a neighbour, and cost more when there is none. Which of the two they do is
read from the environment once, when torch is loaded.
"""

from __future__ import annotations

import os
import sys
import time
from pathlib import Path
from typing import NamedTuple

from guide.machine import usable_threads

_CROWDED = 0.3  # cores that others keep busy: below it is what a desktop does by itself


class Neighbours(NamedTuple):
    """What was found.

    `cores` are those that other programs kept busy, None where the system does not say; `passive`
    says whether threads will sleep while they wait.
    """

    cores: float | None
    passive: bool

    @property
    def crowded(self) -> bool:
        """Whether somebody takes what this process would use."""
        return self.cores is not None and self.cores >= _CROWDED

    @property
    def sentence(self) -> str:
        """What to know of it; empty when there is nothing."""
        if not self.crowded:
            return ""
        waits = "they sleep" if self.passive else "fewer threads suffer less"
        return (
            f"other programs keep {self.cores:.1f} of {usable_threads()} cores busy: threads that "
            f"wait for each other lose by it, so {waits}"
        )


def look(seconds: float = 0.2, stat: Path = Path("/proc/stat")) -> Neighbours:
    """Watch the machine for a moment, and let torch's threads sleep where somebody else computes.

    Call it before torch is imported; afterwards it only says what it sees. What the user has set
    (OMP_WAIT_POLICY, GOMP_SPINCOUNT) is left alone.
    """
    cores = busy_elsewhere(seconds, stat)
    found = Neighbours(cores, passive="passive" in os.environ.get("OMP_WAIT_POLICY", "").lower())
    chosen = {"OMP_WAIT_POLICY", "GOMP_SPINCOUNT", "KMP_BLOCKTIME"} & set(os.environ)
    if found.crowded and not chosen and "torch" not in sys.modules:
        os.environ["OMP_WAIT_POLICY"] = "PASSIVE"
        found = found._replace(passive=True)
    return found


def busy_elsewhere(seconds: float, stat: Path = Path("/proc/stat")) -> float | None:
    """How many cores programs other than this one keep busy, on average; None if nobody says."""
    elsewhere = Elsewhere(stat)
    time.sleep(seconds)
    return elsewhere.cores()


class Elsewhere:
    """What programs other than this one take, from when it was made."""

    def __init__(self, stat: Path = Path("/proc/stat")) -> None:
        self._stat = stat
        self._begun = self._now()

    def cores(self) -> float | None:
        """How many cores they have kept busy so far, on average; None if nobody says."""
        now, begun = self._now(), self._begun
        if now is None or begun is None or now[1] <= begun[1]:
            return None
        return max((now[0] - begun[0]) / (now[1] - begun[1]), 0.0)

    def _now(self) -> tuple[float, float] | None:
        """Seconds that others have computed, and the time."""
        try:
            return _busy_s(self._stat) - time.process_time(), time.monotonic()
        except (OSError, ValueError, IndexError):
            return None


def _busy_s(stat: Path) -> float:
    """Seconds that the CPUs this process may use have spent on anything but waiting."""
    allowed = os.sched_getaffinity(0) if hasattr(os, "sched_getaffinity") else set()
    ticks = 0
    for line in stat.read_text(encoding="ascii").splitlines():
        name, *fields = line.split()
        if name[:3] == "cpu" and name[3:].isdigit() and int(name[3:]) in allowed:
            user, nice, system, _idle, _iowait, irq, softirq, steal = map(int, fields[:8])
            ticks += user + nice + system + irq + softirq + steal
    return ticks / os.sysconf("SC_CLK_TCK")
