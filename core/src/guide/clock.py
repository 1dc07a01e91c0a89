"""Clocks. A loop is handed one and never asks the time of anybody else.

Times are integer nanoseconds on a monotonic scale whose zero means nothing. A test hands the
loop a `VirtualClock` and every statement about time becomes exact.
"""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    """What a loop and a timeline need to know of time."""

    def now_ns(self) -> int:
        """The time now, in ns; never goes back."""
        ...

    def sleep_until(self, t_ns: int) -> None:
        """Return at `t_ns` or as soon after it as can be; at once when it has passed."""
        ...


class SystemClock:
    """The machine's monotonic clock.

    `time.perf_counter_ns` is CLOCK_MONOTONIC on Linux, mach_absolute_time on macOS and
    QueryPerformanceCounter on Windows: the finest clock each offers that NTP never steps.
    """

    now_ns = staticmethod(time.perf_counter_ns)

    def sleep_until(self, t_ns: int) -> None:
        """Sleep until `t_ns`. The kernel decides how late it wakes us; the loop records it."""
        # A sleep may end early (Windows rounds to its timer); asking again keeps the contract.
        while (left_ns := t_ns - time.perf_counter_ns()) > 0:
            time.sleep(left_ns / 1e9)


class VirtualClock:
    """A clock that moves only when told to: by `advance`, or by sleeping on it.

    >>> clock = VirtualClock()
    >>> clock.sleep_until(5_000_000)
    >>> clock.now_ns()
    5000000
    """

    def __init__(self, start_ns: int = 0) -> None:
        self._now_ns = start_ns

    def now_ns(self) -> int:
        """The virtual time, in ns."""
        return self._now_ns

    def sleep_until(self, t_ns: int) -> None:
        """Jump to `t_ns`; stay when it has passed."""
        self._now_ns = max(self._now_ns, t_ns)

    def advance(self, ns: int) -> None:
        """Let `ns` nanoseconds pass, as work would. Raises ValueError when `ns` is negative."""
        if ns < 0:
            raise ValueError(f"time does not go back: advance({ns})")
        self._now_ns += ns
