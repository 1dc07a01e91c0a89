"""What a run uses: meters, their readings, and the sampler that reads them beside the loop."""

from __future__ import annotations

import math
import os
import sys
import threading
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, Protocol

from guide.errors import GuideError
from guide.timing import Timeline


@dataclass(frozen=True, slots=True)
class Reading:
    """One figure, with where it comes from.

    A "total" only grows, counted from the meter's start; a "level" is what is there now. What
    cannot be measured may be bounded instead: then `value` lies midway between `low` and `high`.
    """

    name: str  # "cpu", "memory", "energy.package"
    value: float
    unit: str  # "s", "B", "J"
    kind: Literal["total", "level"]
    source: str  # "getrusage", "rapl", "nvml", "model"
    low: float | None = None
    high: float | None = None


@dataclass(frozen=True, slots=True)
class Usage:
    """What was used, as one meter saw it."""

    readings: tuple[Reading, ...]


class Meter(Protocol):
    """Something that reads a resource, cheaply enough for ten times a second."""

    def start(self) -> None:
        """Count from now."""
        ...

    def read(self) -> Usage:
        """What was used since `start`."""
        ...


class Unavailable(GuideError):
    """This machine does not have, or does not grant, what a meter reads."""


class ProcessMeter:
    """CPU time of all threads of this process, and its memory in RAM (resident set size)."""

    def __init__(self) -> None:
        self._start_ns = time.process_time_ns()
        self._page_bytes = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
        try:
            # Kept open: a pread of this file takes 2 us, opening it anew several times that.
            self._statm: int | None = os.open("/proc/self/statm", os.O_RDONLY)
        except OSError:
            self._statm = None

    def __del__(self) -> None:
        if self._statm is not None:
            os.close(self._statm)

    def start(self) -> None:
        """Count CPU time from now."""
        self._start_ns = time.process_time_ns()

    def read(self) -> Usage:
        """CPU seconds since start; bytes resident now (where only the peak is known: the peak)."""
        cpu_s = (time.process_time_ns() - self._start_ns) / 1e9
        memory, source = self._resident()
        return Usage(
            (
                Reading("cpu", cpu_s, "s", "total", "process clock"),
                Reading("memory", memory, "B", "level", source),
            )
        )

    def _resident(self) -> tuple[int, str]:
        if self._statm is not None:
            return int(os.pread(self._statm, 128, 0).split()[1]) * self._page_bytes, "statm"
        if sys.platform == "win32":
            return _windows_working_set(), "working set"
        import resource  # absent on Windows

        peak = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
        return peak * (1 if sys.platform == "darwin" else 1024), "peak, getrusage"


def _windows_working_set() -> int:
    import ctypes
    from ctypes import wintypes

    class Counters(ctypes.Structure):
        _fields_ = (
            ("cb", wintypes.DWORD),
            ("PageFaultCount", wintypes.DWORD),
            *((f"size{i}", ctypes.c_size_t) for i in range(8)),
        )

    counters = Counters(cb=ctypes.sizeof(Counters))
    windll = getattr(ctypes, "windll")  # noqa: B009 - exists on Windows alone
    current = windll.kernel32.GetCurrentProcess
    current.restype = wintypes.HANDLE
    call = windll.psapi.GetProcessMemoryInfo
    call.argtypes = (wintypes.HANDLE, ctypes.c_void_p, wintypes.DWORD)
    call(current(), ctypes.byref(counters), counters.cb)
    return int(counters.size1)  # WorkingSetSize


class Sampler:
    """Reads all meters from a thread of its own, so that the loop never waits for one.

    Args:
        meters: started by `start`.
        now_ns: the clock that stamps the samples.
        every_s: time between two samples; the record is thinned, never cut, when it is full.
        on_sample: called after each sample, on the sampler's thread.
    """

    _FULL = 20_000

    def __init__(
        self,
        meters: Sequence[Meter],
        now_ns: Callable[[], int],
        every_s: float = 0.1,
        on_sample: Callable[[], None] | None = None,
    ) -> None:
        self._meters = list(meters)
        self._now_ns = now_ns
        self._every_s = every_s
        self._on_sample = on_sample
        self._done = threading.Event()
        self._thread = threading.Thread(target=self._run, name="guide-sampler", daemon=True)
        self.samples: list[tuple[int, tuple[Reading, ...]]] = []
        self.failed: list[str] = []  # one line for each meter that gave up

    def start(self) -> None:
        """Start the meters and the sampling. A meter that raises is left out, as in `sample`."""
        for meter in list(self._meters):
            try:
                meter.start()
            except Exception as error:
                self._give_up(meter, error)
        self.sample()
        self._thread.start()

    def stop(self) -> None:
        """Take a last sample and end."""
        if self._thread.is_alive():
            self._done.set()
            self._thread.join()
            self.sample()

    def latest(self) -> tuple[Reading, ...]:
        """The newest readings; empty before the first."""
        return self.samples[-1][1] if self.samples else ()

    def count_into(self, timeline: Timeline) -> None:
        """Put the levels that were sampled on a timeline, as counters."""
        for t_ns, readings in self.samples:
            for reading in readings:
                if reading.kind == "level":
                    timeline.counter(f"{reading.name}, {reading.unit}", reading.value, t_ns)

    def sample(self) -> None:
        """Read every meter once. One that raises is left out from then on, and said in `failed`."""
        readings: list[Reading] = []
        for meter in list(self._meters):
            try:
                found = meter.read().readings
                math.fsum(reading.value for reading in found)  # raises for what is no number
                readings += found
            except Exception as error:  # a stranger's meter must not end the run
                self._give_up(meter, error)
        self.samples.append((self._now_ns(), tuple(readings)))
        if len(self.samples) > self._FULL:
            self.samples = self.samples[::2]
            self._every_s *= 2
        if self._on_sample is not None:
            self._on_sample()

    def _give_up(self, meter: Meter, error: Exception) -> None:
        self._meters.remove(meter)
        self.failed.append(f"meter {type(meter).__name__} stopped: {error}")

    def _run(self) -> None:
        while not self._done.wait(self._every_s):
            self.sample()
