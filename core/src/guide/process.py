"""What this process and this thread have used, as the kernel counts it.

`ProcessMeter.raw` and `ThreadStamps` are for the loop: a tuple of integers in a few microseconds.
`ProcessMeter.read` is for the sampler: the same figures and more, each with its source.
Source: man 2 getrusage, man 5 proc, Linux Documentation/accounting/psi.rst.
"""

from __future__ import annotations

import os
import re
import sys
import time
from collections.abc import Callable
from contextlib import suppress
from pathlib import Path
from typing import NamedTuple, TypeVar

from guide.meter import Reading, Usage

if sys.platform != "win32":
    import resource

_T = TypeVar("_T")
_UNREADABLE = (OSError, ValueError, IndexError)
_ROOT = Path("/")
_MEMORY = "memory now, also of children"


class KeptOpen:
    """A file of the kernel's, kept open: to read it anew takes 1 µs, to open it several times that.

    Raises:
        OSError: it is not there, or not for us.
    """

    fd = -1

    def __init__(self, path: Path) -> None:
        self.fd = os.open(path, os.O_RDONLY)

    def __del__(self) -> None:
        if self.fd >= 0:
            os.close(self.fd)

    def read(self) -> bytes:
        """What stands in it now, from its beginning; 4 kB at most."""
        return os.pread(self.fd, 4096, 0)


class ThreadSample(NamedTuple):
    """What one thread has used since it began; 0 where it is not known."""

    cpu_ns: int
    voluntary: int  # times it waited for something
    forced: int  # times the kernel took the processor away
    minor: int  # page faults that cost no disk access
    major: int  # page faults that did
    run_delay_ns: int  # ready to run while no processor was free


class ThreadStamps:
    """Call it for what the calling thread has used so far: about 3 µs.

    Make it on the thread that calls it: `run_delay_ns` is that of the thread which made it.
    `known` names the fields that this system counts.
    """

    def __init__(self, root: Path = _ROOT) -> None:
        self.known = frozenset({"cpu_ns"})
        if sys.platform == "linux":
            self.known |= {"voluntary", "forced", "minor", "major"}
        self._fd = -1
        with suppress(*_UNREADABLE):
            self._schedstat = KeptOpen(root / "proc/thread-self/schedstat")
            int(self._schedstat.read().split()[1])
            self.known |= {"run_delay_ns"}
            self._fd = self._schedstat.fd

    def __call__(self) -> ThreadSample:
        """The figures so far."""
        # The clock and not getrusage, which may be as old as the scheduler's last tick.
        cpu_ns = time.thread_time_ns()
        if sys.platform != "linux":
            return ThreadSample(cpu_ns, 0, 0, 0, 0, 0)
        used = resource.getrusage(resource.RUSAGE_THREAD)
        delay_ns = int(os.pread(self._fd, 64, 0).split()[1]) if self._fd >= 0 else 0
        return ThreadSample._make((cpu_ns, used[14], used[15], used[6], used[7], delay_ns))


class ProcessSample(NamedTuple):
    """What all threads of this process have used since it began; 0 where it is not known."""

    cpu_ns: int
    user_ns: int  # of that, in the program itself, and ...
    system_ns: int  # ... in the kernel, as its clock ticks let it estimate
    resident: int  # bytes in RAM now; where unknown, the peak
    peak: int  # bytes in RAM, at most so far
    minor: int
    major: int
    voluntary: int
    forced: int


_TOTALS = (
    ("cpu", "cpu_ns", "s", 1e9, "process clock"),
    ("cpu.user", "user_ns", "s", 1e9, "getrusage"),
    ("cpu.system", "system_ns", "s", 1e9, "getrusage"),
    ("faults.minor", "minor", "", 1, "getrusage"),
    ("faults.major", "major", "", 1, "getrusage"),
    ("switches.voluntary", "voluntary", "", 1, "getrusage"),
    ("switches.forced", "forced", "", 1, "getrusage"),
)
_STORAGE = re.compile(rb"^read_bytes: (\d+)\nwrite_bytes: (\d+)$", re.MULTILINE)
_STALLED = re.compile(rb"^some .*total=(\d+)$", re.MULTILINE)


class _Counted:
    """Totals that stand in one file of the kernel's."""

    def __init__(
        self, names: tuple[str, ...], unit: str, per_unit: float, path: Path, source: str
    ) -> None:
        self.names, self._unit, self._per_unit, self._source = names, unit, per_unit, source
        self._file = KeptOpen(path)
        self.start()

    def start(self) -> None:
        self._first = self._now()

    def read(self) -> list[Reading]:
        return [
            Reading(name, (now - first) / self._per_unit, self._unit, "total", self._source)
            for name, first, now in zip(self.names, self._first, self._now(), strict=True)
        ]

    def _now(self) -> list[int]:
        pattern = _STORAGE if self._unit == "B" else _STALLED
        found = pattern.search(self._file.read())
        if found is None:
            raise ValueError("in a form unknown here")
        return [int(group) for group in found.groups()]


class ProcessMeter:
    """CPU time, memory, page faults, context switches, storage and pressure of this process.

    Make it in the process it measures: after a fork it would go on reading its parent's memory.

    Args:
        children: count its children and theirs too, as `cpu.children` and `memory.children`. The
            CPU time of one that has ended counts when its parent waited for it; pages that
            several share count in each. This looks at every process of the machine: not for ticks.
        root: where proc and sys are.

    Attributes:
        absent: a line for each thing that this system does not show.
    """

    def __init__(self, *, children: bool = False, root: Path = _ROOT) -> None:
        self.absent: list[str] = []
        self._proc, self._with_children = root / "proc", children
        self._children_ns = self._peak = self._inherited_peak = 0
        self._page_bytes = os.sysconf("SC_PAGE_SIZE") if hasattr(os, "sysconf") else 4096
        self._statm = None
        if sys.platform != "win32":
            self._statm = self._try(_MEMORY, lambda: KeptOpen(self._proc / "self/statm"))
        with suppress(*_UNREADABLE):  # without it there is a peak too, if sometimes a foreign one
            status = (self._proc / "self/status").read_bytes()
            own = 1024 * int(status.partition(b"VmHWM:")[2].split()[0])
            # getrusage's outlives exec: a small program would show what its parent once held.
            if (peak := self.raw().peak) > own:
                self._inherited_peak, self._peak = peak, own
        self._counted: list[_Counted] = []
        self._open(("io.read", "io.written"), "B", 1, {"storage": self._proc / "self/io"})
        group = ""
        with suppress(*_UNREADABLE):
            groups = (self._proc / "self/cgroup").read_text()
            group = groups.rpartition("0::/")[2].partition("\n")[0]
        for what in ("cpu", "memory", "io"):
            ours = root / "sys/fs/cgroup" / group / f"{what}.pressure"
            places = {
                "psi, this cgroup": ours,
                "psi, whole machine": self._proc / "pressure" / what,
            }
            self._open((f"pressure.{what}",), "s", 1e6, places)
        self.start()

    def start(self) -> None:
        """Count from now."""
        self._first = self.raw()
        self._first_children_ns = self._children()[0] if self._with_children else 0
        for counted in self._counted:
            self._try(", ".join(counted.names), counted.start)

    def raw(self) -> ProcessSample:
        """What was used since the process began, in about 5 µs: cheap enough for every tick."""
        cpu_ns = time.process_time_ns()
        if sys.platform == "win32":
            user_ns, system_ns = (int(s * 1e9) for s in os.times()[:2])
            return ProcessSample(cpu_ns, user_ns, system_ns, *_windows_memory(), 0, 0, 0, 0)
        used = resource.getrusage(resource.RUSAGE_SELF)
        peak = used[2] if sys.platform == "darwin" else used[2] * 1024
        resident = 0
        if self._statm is not None:
            resident = self._try(_MEMORY, self._pages) or 0
            if not resident:
                self._statm = None
        if peak <= self._inherited_peak:
            peak = 0
        # Never down: resident and peak are counted in batches, each of its own.
        self._peak = peak = max(self._peak, peak, resident)
        user_ns, system_ns = int(used[0] * 1e9), int(used[1] * 1e9)
        counts = (used[6], used[7], used[14], used[15])
        return ProcessSample._make((cpu_ns, user_ns, system_ns, resident or peak, peak, *counts))

    def read(self) -> Usage:
        """Since start, in s, B and counts; memory as in `ProcessSample`."""
        first, now = self._first, self.raw()
        readings = []
        for name, field, unit, size, source in _TOTALS:
            if unit or sys.platform != "win32":
                value = (getattr(now, field) - getattr(first, field)) / size
                readings.append(Reading(name, value, unit, "total", source))
        exact, most = ("statm" if self._statm else "peak, getrusage"), "getrusage"
        if sys.platform == "win32":
            exact = most = "working set"
        readings.append(Reading("memory", now.resident, "B", "level", exact))
        readings.append(Reading("memory.peak", now.peak, "B", "level", most))
        for counted in list(self._counted):
            found = self._try(", ".join(counted.names), counted.read)
            if found is None:
                self._counted.remove(counted)
            readings += found or []
        if self._with_children:
            ns, resident = self._children()
            cpu_s = (ns - self._first_children_ns) / 1e9
            readings.append(Reading("cpu.children", cpu_s, "s", "total", "stat, getrusage"))
            if self._statm:
                shared = "stat, shared pages in each"
                readings.append(Reading("memory.children", resident, "B", "level", shared))
        return Usage(tuple(readings))

    def cpu_ns(self) -> int:
        """CPU time since the process began, with that of its children where they count."""
        return time.process_time_ns() + (self._children()[0] if self._with_children else 0)

    def _pages(self) -> int:
        return int(self._statm.read().split(None, 2)[1]) * self._page_bytes if self._statm else 0

    def _open(
        self, names: tuple[str, ...], unit: str, per_unit: float, places: dict[str, Path]
    ) -> None:
        """Count what stands in the first of `places` (source to path) that can be read."""
        why: Exception | None = None
        for source, path in places.items():
            try:
                self._counted.append(_Counted(names, unit, per_unit, path, source))
                return
            except _UNREADABLE as error:
                why = error
        self._leave_out(", ".join(names), why)

    def _try(self, what: str, act: Callable[[], _T]) -> _T | None:
        try:
            return act()
        except _UNREADABLE as error:
            self._leave_out(what, error)
            return None

    def _leave_out(self, what: str, why: Exception | None) -> None:
        line = f"{what}: this system does not show it ({getattr(why, 'strerror', None) or why})"
        if line not in self.absent:
            self.absent.append(line)

    def _children(self) -> tuple[int, int]:
        """CPU ns and bytes in RAM of all descendants. CPU never shrinks, whoever dies."""
        if sys.platform == "win32":
            return 0, 0
        ended = resource.getrusage(resource.RUSAGE_CHILDREN)
        ticks, pages, of_parent = 0, 0, _processes(self._proc)
        waiting = [os.getpid()]
        while waiting:
            for pid, used, resident in of_parent.pop(waiting.pop(), ()):
                ticks, pages = ticks + used, pages + resident
                waiting.append(pid)
        ns = int((ended.ru_utime + ended.ru_stime) * 1e9)
        ns += ticks * (1_000_000_000 // os.sysconf("SC_CLK_TCK"))
        self._children_ns = max(self._children_ns, ns)
        return self._children_ns, pages * self._page_bytes


def _processes(proc: Path) -> dict[int, list[tuple[int, int, int]]]:
    """Of each parent its children: process number, clock ticks of CPU, pages in RAM."""
    of_parent: dict[int, list[tuple[int, int, int]]] = {}
    for entry in os.scandir(proc) if proc.exists() else ():
        with suppress(*_UNREADABLE):  # many end while we look
            pid = int(entry.name)
            # The name of a program may hold spaces and parentheses: fields count from its end.
            fields = (proc / entry.name / "stat").read_bytes().rpartition(b")")[2].split()
            # Its own CPU time, and that of its children that have ended.
            used, resident = sum(map(int, fields[11:15])), int(fields[21])
            of_parent.setdefault(int(fields[1]), []).append((pid, used, resident))
    return of_parent


def _windows_memory() -> tuple[int, int]:
    """Bytes of this process in RAM now, and at most."""
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
    return int(counters.size1), int(counters.size0)  # WorkingSetSize, PeakWorkingSetSize
