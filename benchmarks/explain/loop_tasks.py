"""Loops with a planted fault, each with its clean twin; `run` runs one in this very process.

Faults are small and single: what the twin has not is what the verdict has to name.
"""

from __future__ import annotations

import collections
import gc
import mmap
import os
import tempfile
import threading
import time
import zlib
from collections.abc import Callable
from pathlib import Path
from typing import Any

import numpy as np

from guide.loop import Loop, Tick
from guide.record import closing_record, opening_record
from guide.resources import ProcessMeter, Sampler
from guide.run import Run, Task, drive
from guide.threads import ThreadsMeter

_TEXT = os.urandom(1 << 20)


def spin(ms: float) -> None:
    """Compute for so long, in Python."""
    until_ns = time.perf_counter_ns() + round(ms * 1e6)
    while time.perf_counter_ns() < until_ns:
        pass


def compute(times: int) -> None:
    """A fixed amount of work, in Python."""
    total = 0
    for i in range(times):
        total += i & 7


class Planted(Task):
    """A loop with spans "read", "work" and "show"; subclasses do something else in one of them.

    Args:
        planted: with the fault, or without.
    """

    def __init__(self, planted: bool) -> None:
        self.planted = planted
        self.ending = threading.Event()
        self.helpers: list[threading.Thread] = []

    def start(self, run: Run) -> None:
        """Nothing to open."""

    def step(self, tick: Tick) -> None:
        """Three stages."""
        with tick.span("read"):
            self.read(tick)
        with tick.span("work"):
            self.work(tick)
        with tick.span("show"):
            self.show(tick)

    def read(self, tick: Tick) -> None:
        """A millisecond."""
        compute(20_000)

    def work(self, tick: Tick) -> None:
        """Some milliseconds."""
        compute(80_000)

    def show(self, tick: Tick) -> None:
        """A millisecond."""
        compute(20_000)

    def beside(self, function: Callable[[], Any], count: int = 1) -> None:
        """Call `function` again and again on threads beside the loop."""

        def again() -> None:
            while not self.ending.is_set():
                function()

        self.helpers += [threading.Thread(target=again, daemon=True) for _ in range(count)]
        for helper in self.helpers[-count:]:
            helper.start()

    def close(self) -> None:
        """End the threads."""
        self.ending.set()
        for helper in self.helpers:
            helper.join()


class SlowStage(Planted):
    """The stage "work" takes longer than there is."""

    def work(self, tick: Tick) -> None:
        """Some milliseconds, and the fault."""
        super().work(tick)
        if self.planted:
            compute(300_000)


class SlowNowAndThen(Planted):
    """The stage "show" sleeps in every twentieth tick."""

    def show(self, tick: Tick) -> None:
        """A millisecond, and the fault."""
        super().show(tick)
        if self.planted and tick.every(20):
            time.sleep(0.04)


class SleepInStage(Planted):
    """The stage "read" sleeps."""

    def read(self, tick: Tick) -> None:
        """A millisecond, or the fault."""
        super().read(tick)
        if self.planted:
            time.sleep(0.005)


class Lock(Planted):
    """Another Python thread computes."""

    def start(self, run: Run) -> None:
        """What the ticks need, and the fault."""
        if self.planted:
            self.beside(lambda: compute(50_000))


class Garbage(Planted):
    """Many live objects, and somebody who collects garbage in every fifth tick to be safe."""

    def start(self, run: Run) -> None:
        """What the ticks need, and the fault."""
        self.kept = [{"i": [i]} for i in range(60_000)]

    def work(self, tick: Tick) -> None:
        """Some milliseconds, and the fault."""
        super().work(tick)
        if self.planted and tick.every(5):
            gc.collect()


class NewPages(Planted):
    """An array of 40 MB, new in every tick."""

    def start(self, run: Run) -> None:
        """What the ticks need, and the fault."""
        self.out = np.empty(10_000_000, np.float32)
        self.source = np.ones(10_000_000, np.float32)

    def work(self, tick: Tick) -> None:
        """Some milliseconds, and the fault."""
        if self.planted:
            np.add(self.source, 1)
        else:
            np.add(self.source, 1, out=self.out)


class Leak(Planted):
    """Every tick keeps 200 kB; the twin keeps the newest ten."""

    def start(self, run: Run) -> None:
        """What the ticks need, and the fault."""
        self.kept: collections.deque[Any] = collections.deque(maxlen=None if self.planted else 10)

    def show(self, tick: Tick) -> None:
        """A millisecond, and the fault."""
        super().show(tick)
        self.kept.append(np.ones(25_000))


class Crowded(Planted):
    """Four threads beside the loop compress, for two processors."""

    def start(self, run: Run) -> None:
        """What the ticks need, and the fault."""
        if self.planted:
            self.beside(lambda: zlib.compress(_TEXT, 9), 2 * len(os.sched_getaffinity(0)))


class Disk(Planted):
    """A mapped file whose pages the kernel has let go of."""

    def start(self, run: Run) -> None:
        """What the ticks need, and the fault."""
        self.file = tempfile.NamedTemporaryFile(dir=Path.cwd() / "build")  # noqa: SIM115
        self.file.write(os.urandom(1 << 24))
        self.file.flush()
        os.fsync(self.file.fileno())
        self.map = mmap.mmap(self.file.fileno(), 0, prot=mmap.PROT_READ)
        self.map.madvise(mmap.MADV_RANDOM)
        self.view = np.frombuffer(self.map, np.uint8)

    def read(self, tick: Tick) -> None:
        """A millisecond, or the fault."""
        if self.planted:
            self.map.madvise(mmap.MADV_DONTNEED)
            os.posix_fadvise(self.file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
        int(self.view[:: 1 << 17].sum())


TASKS: dict[str, tuple[type[Planted], float | None]] = {
    "slow stage": (SlowStage, 100),
    "slow now and then": (SlowNowAndThen, 60),
    "sleep in a stage": (SleepInStage, None),
    "lock, at a rate": (Lock, 100),
    "lock, free": (Lock, None),
    "garbage": (Garbage, None),
    "new pages": (NewPages, None),
    "leak": (Leak, None),
    "crowded": (Crowded, None),
    "disk": (Disk, None),
}


def run(name: str, planted: bool, seconds: float) -> dict[str, Any]:
    """Run one of them; returns its record."""
    kind, rate_hz = TASKS[name]
    loop = Loop(rate_hz, seconds=seconds)
    return recorded(kind(planted), loop)


def recorded(
    task: Task, loop: Loop, options: dict[str, Any] | None = None, track: str = "any"
) -> dict[str, Any]:
    """Run a task as `guide run` would; returns its record.

    Raises:
        RuntimeError: when it failed.
    """
    with tempfile.TemporaryDirectory() as folder:
        work = Run(loop, project=Path.cwd(), folder=Path(folder), options=options or {})
        sampler = Sampler([ProcessMeter(), ThreadsMeter()], work.clock.now_ns)
        opening = opening_record("planted", track, loop, options or {}, 0)
        drive(task, work, on_start=sampler.start)
        sampler.stop()
        if work.failure is not None:
            raise RuntimeError(work.failure.message)
        return closing_record(opening, work, sampler)
