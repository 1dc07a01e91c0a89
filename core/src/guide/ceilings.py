"""This machine's limits, measured in a second or two: what any program on it can at best do.

Short on purpose: a first look for `guide doctor`, each figure the best of a few trials, since
whatever disturbs a trial only ever makes it slower.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable
from dataclasses import dataclass

import numpy as np

from guide.clock import SystemClock
from guide.units import duration, number


@dataclass(frozen=True, slots=True)
class Ceiling:
    """One limit: `value` in `unit`, `text` as a person reads it, and why it matters."""

    name: str
    value: float
    unit: str
    text: str
    why: str


def measure() -> list[Ceiling]:
    """Measure every ceiling here. Takes under two seconds on an ordinary laptop."""
    return [
        _clock_read(),
        _wake_up(),
        _memory_copy(),
        _arithmetic(),
        _process_start(),
    ]


def _best_ns(work: Callable[[], object], trials: int) -> int:
    best = 1 << 62
    for _ in range(trials):
        start_ns = time.perf_counter_ns()
        work()
        best = min(best, time.perf_counter_ns() - start_ns)
    return best


def _clock_read() -> Ceiling:
    now_ns, count = time.perf_counter_ns, 10_000

    def read() -> None:
        for _ in range(count):
            now_ns()

    each = _best_ns(read, 5) / count
    return Ceiling("reading the clock", each, "ns", duration(each), "a span reads it twice")


def _wake_up() -> Ceiling:
    clock, late = SystemClock(), []
    for _ in range(60):
        due_ns = clock.now_ns() + 3_000_000
        clock.sleep_until(due_ns)
        late.append(clock.now_ns() - due_ns)
    median = sorted(late)[len(late) // 2]
    why = "how late a sleep ends: what every tick starts with"
    return Ceiling("waking up", median, "ns", f"+{duration(median)}", why)


def _memory_copy() -> Ceiling:
    source = np.ones(64 << 20, np.uint8)  # past any cache but the largest servers'
    target = np.zeros_like(source)
    ns = _best_ns(lambda: np.copyto(target, source), 7)
    gb_per_s = 2 * source.size / ns  # bytes read and bytes written, per ns
    why = "reads plus writes of a large copy, one thread"
    return Ceiling("memory", gb_per_s, "GB/s", f"{number(gb_per_s)} GB/s", why)


def _arithmetic() -> Ceiling:
    side = 1024
    a = np.full((side, side), 0.5, np.float32)
    out = np.empty_like(a)
    ns = _best_ns(lambda: np.matmul(a, a, out=out), 25)
    gflops = 2 * side**3 / ns
    why = "float32 matrix product, all threads of numpy's BLAS"
    return Ceiling("arithmetic", gflops, "GFLOP/s", f"{number(gflops)} GFLOP/s", why)


def _process_start() -> Ceiling:
    command = [sys.executable, "-c", "pass"]
    ns = _best_ns(lambda: subprocess.run(command, check=True), 5)
    return Ceiling("starting Python", ns, "ns", duration(ns), "what any command line pays first")
