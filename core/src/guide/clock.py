"""Clocks. A loop is handed one and never asks the time of anybody else.

Times are integer nanoseconds on a monotonic scale whose zero means nothing. A test hands the
loop a `VirtualClock` and every statement about time becomes exact.
"""

from __future__ import annotations

import time
from collections.abc import Callable
from typing import Protocol

from guide.pacing import Pacer
from guide.units import exact

_NAP_NS = 50_000_000  # how long a scaled clock sleeps before it looks again


class Clock(Protocol):
    """What a loop and a timeline need to know of time."""

    def now_ns(self) -> int:
        """The time now, in ns; never goes back."""
        ...

    def sleep_until(self, t_ns: int) -> None:
        """Return at `t_ns` or as soon after it as can be; at once when it has passed."""
        ...


class SystemClock(Pacer):
    """The machine's monotonic clock, and punctual: see `guide.pacing`.

    `time.perf_counter_ns` is CLOCK_MONOTONIC on Linux, mach_absolute_time on macOS and
    QueryPerformanceCounter on Windows: the finest clock each offers that NTP never steps.

    It learns how late its sleeper wakes: give each thread that sleeps a clock of its own.
    `cap_ns = 0` switches spinning off and leaves the waking to the kernel alone.
    """

    def __init__(self) -> None:
        super().__init__(time.perf_counter_ns, time.sleep)


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


class ScaledClock:
    """A clock that runs `speed` times as fast as the one it wraps, and can be paused.

    It begins at the wrapped clock's time. A change of speed takes effect from that moment on: the
    time never jumps. Any thread may change it.

    >>> machine = VirtualClock()
    >>> clock = ScaledClock(machine, speed=0.5)
    >>> clock.sleep_until(10_000_000)  # 10 ms of this clock are 20 ms of the machine's
    >>> machine.now_ns()
    20000000

    Raises:
        ValueError: for a speed that is not positive and finite.
    """

    def __init__(self, clock: Clock, speed: float = 1.0) -> None:
        self._clock = clock
        self._speed = speed
        start_ns = clock.now_ns()
        # From when on, on the wrapped clock and on this one, and how fast, as a fraction. It is
        # replaced as a whole: another thread sees all of a change or nothing of it.
        self._pace = (start_ns, start_ns, *_ratio(speed))

    @property
    def speed(self) -> float:
        """How much faster than the wrapped clock it runs, or will when it is resumed."""
        return self._speed

    @speed.setter
    def speed(self, speed: float) -> None:
        ratio = _ratio(speed)
        self._speed = speed
        if not self.paused:
            self._turn(*ratio)

    @property
    def paused(self) -> bool:
        """Whether it stands still."""
        return self._pace[2] == 0

    def pause(self) -> None:
        """Stand still."""
        self._turn(0, 1)

    def resume(self) -> None:
        """Go on from where it stood."""
        self._turn(*_ratio(self._speed))

    def now_ns(self) -> int:
        """The scaled time, in ns."""
        since_ns, start_ns, up, down = self._pace
        return start_ns + (self._clock.now_ns() - since_ns) * up // down

    def sleep_until(self, t_ns: int) -> None:
        """Return at `t_ns`, or earlier: after 50 ms of the wrapped clock at the latest.

        Who needs `t_ns` looks and asks again, as `Loop` does. That is how a pause, a change of
        speed and a `stop()` are noticed in the middle of a long sleep.
        """
        since_ns, start_ns, up, down = self._pace
        until_ns = self._clock.now_ns() + _NAP_NS
        if up:
            until_ns = min(until_ns, since_ns - (start_ns - t_ns) * down // up)  # rounded up
        self._clock.sleep_until(until_ns)

    def _turn(self, up: int, down: int) -> None:
        since_ns, start_ns, up_before, down_before = self._pace
        wrapped_ns = self._clock.now_ns()
        now_ns = start_ns + (wrapped_ns - since_ns) * up_before // down_before
        self._pace = (wrapped_ns, now_ns, up, down)


def _ratio(speed: float) -> tuple[int, int]:
    if not 0 < speed < float("inf"):
        raise ValueError(f"speed must be above 0 and finite, not {speed}")
    return exact(speed).as_integer_ratio()


def unix_anchor(
    clock: Clock, unix_ns: Callable[[], int] = time.time_ns, tries: int = 50
) -> tuple[int, int]:
    """One instant on two clocks: `clock`'s ns, and ns since 1970.

    Unix time is read between two readings of `clock`; of `tries` such brackets the narrowest
    counts, and `clock`'s time is its middle. The error is at most half the bracket, well under a
    microsecond on a machine at rest. Use it to bring a run and what others recorded onto one time
    scale; take it once, because Unix time may be stepped.
    """

    def bracket() -> tuple[int, int, int]:
        before_ns, unix, after_ns = clock.now_ns(), unix_ns(), clock.now_ns()
        return after_ns - before_ns, (before_ns + after_ns) // 2, unix

    _, clock_ns, unix = min(bracket() for _ in range(tries))
    return clock_ns, unix
