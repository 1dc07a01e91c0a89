"""What it costs to read the meters, and to start them."""

from __future__ import annotations

import os
import resource
import subprocess
import sys
import time
import timeit
from collections.abc import Callable, Iterator

from benchmarks.rows import PEERS, Row, interleaved, with_peers
from guide.resources import ProcessMeter, ThreadStamps

ROUNDS = 60
INSTALL = "pip install --target build/peers -r benchmarks/peers.txt"


def rows() -> Iterator[Row]:
    """A sample for each tick, one for the sampler, the stamps of a thread, and the start of all."""
    with_peers()
    meter = ProcessMeter()
    yield _sample("sample for a tick: CPU, RSS, peak, faults, switches", meter.raw, 10)
    yield _sample("sample with sources, storage, pressure", meter.read, 100)
    yield _stamps()
    yield _start()


def each(act: Callable[[], object], number: int = 200) -> Callable[[], float]:
    """How long one call takes, in seconds, over `number` calls."""
    return lambda: timeit.timeit(act, number=number) / number


def _sample(figure: str, act: Callable[[], object], goal_us: float) -> Row:
    goal = f"at most {goal_us:g} µs"
    try:
        import psutil
    except ImportError:
        ours_us = each(act)() * 1e6
        return Row(figure, f"{ours_us:.1f} µs", INSTALL, None, goal, ours_us <= goal_us)
    process = psutil.Process()

    def four() -> None:
        with process.oneshot():
            process.cpu_times()
            process.memory_info()
            process.num_ctx_switches()
            process.num_threads()

    ours, peer, ratio, spread = interleaved(each(act), each(four), ROUNDS)
    psutil_us = f"psutil, four fields: {peer * 1e6:.1f} µs"
    return Row(
        figure, f"{ours * 1e6:.1f} µs", psutil_us, ratio, goal, ours * 1e6 <= goal_us, spread
    )


def _stamps() -> Row:
    """Against the same three questions to the kernel, without making anything of the answers."""
    try:
        schedstat = os.open("/proc/thread-self/schedstat", os.O_RDONLY)
    except OSError:
        return Row("thread stamps", "-", "no schedstat here", None, "at most 2 times", None)

    def ask() -> None:
        time.thread_time_ns()
        resource.getrusage(resource.RUSAGE_THREAD)
        os.pread(schedstat, 64, 0)

    ours, peer, ratio, spread = interleaved(each(ThreadStamps()), each(ask), ROUNDS)
    os.close(schedstat)
    texts = (f"{ours * 1e6:.2f} µs", f"the system calls alone: {peer * 1e6:.2f} µs")
    return Row("thread stamps", *texts, ratio, "at most 2 times", ratio <= 2, spread)


# Each in a process of its own: what is found out once in a process counts every time.
OURS = """
import time
from guide.energy import open_energy_meters
from guide.resources import ProcessMeter
began = time.perf_counter()
for meter in (ProcessMeter(), *open_energy_meters()[0]):
    meter.start()
print(time.perf_counter() - began)
"""
CODECARBON = """
import logging, sys, time
sys.path.append(sys.argv[1])
from codecarbon import OfflineEmissionsTracker
logging.disable(logging.CRITICAL)
began = time.perf_counter()
tracker = OfflineEmissionsTracker(
    country_iso_code="DEU", save_to_file=False, allow_multiple_runs=True
)
tracker.start()
print(time.perf_counter() - began)
tracker.stop()
"""


def _start() -> Row:
    """All meters opened and started; imports do not count, on either side."""
    figure, goal = "start of all meters", "at most 50 ms"
    try:
        mine, theirs, ratio, spread = interleaved(_printed(OURS), _printed(CODECARBON), 3)
    except subprocess.CalledProcessError:
        alone = _printed(OURS)()
        return Row(figure, f"{alone * 1e3:.2f} ms", INSTALL, None, goal, alone <= 0.05)
    texts = (f"{mine * 1e3:.2f} ms", f"CodeCarbon: {theirs * 1e3:.0f} ms")
    return Row(figure, *texts, ratio, goal, mine <= 0.05, spread)


def _printed(code: str) -> Callable[[], float]:
    """The number that a program prints last."""

    def run() -> float:
        command = [sys.executable, "-c", code, str(PEERS)]
        done = subprocess.run(command, capture_output=True, check=True, text=True)
        return float(done.stdout.split()[-1])

    return run
