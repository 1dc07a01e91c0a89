"""What judging costs: a call, a fork, a save."""

from __future__ import annotations

import statistics
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path

import numpy as np

from benchmarks.judge.hogs import FOLDER
from benchmarks.rows import Row
from guide.judge.judging import Judge
from guide.judge.manifest import read_manifest
from guide.judge.workers import Limits, Nursery, Worker


def rows(quick: bool) -> Iterator[Row]:
    """A call that does nothing, one that hands 1.6 MB back and forth, and save to verdict."""
    rounds = 50 if quick else 500
    with tempfile.TemporaryDirectory() as folder, Nursery() as nursery:
        file = Path(folder) / "same.py"
        file.write_text("def solve(x): return x\n")
        with Worker(nursery, file, "solve", Limits()) as worker:
            for name, value in (("8 bytes", np.zeros(1)), ("1.6 MB", np.zeros(200_000))):
                took = []
                for _ in range(rounds):
                    worker.load([(value,)])
                    took.append(worker.call().wall_ns / 1e3)
                yield Row(
                    f"overhead of a timed call, {name} each way",
                    f"{statistics.median(took):.0f} µs",
                    "-",
                    None,
                    "under 5 % of 5 ms",
                    statistics.median(took) < 250,
                )
        forks = []
        for _ in range(rounds // 5):
            before = time.perf_counter()
            Worker(nursery, file, "solve", Limits()).close()
            forks.append(time.perf_counter() - before)
    before = time.perf_counter()
    with Nursery() as nursery, Worker(nursery, FOLDER / "solution.py", "total", Limits()):
        cold = time.perf_counter() - before
    warm = statistics.median(forks)
    yield Row(
        "a worker from the warm nursery, from nothing",
        f"{warm * 1e3:.0f} ms",
        f"{cold * 1e3:.0f} ms",
        warm / cold,
        "< 0.5",
        warm / cold < 0.5,
    )
    with Judge(read_manifest(FOLDER)) as judge:
        saves = []
        for _ in range(rounds // 5):
            before = time.perf_counter()
            judge.judge(FOLDER / "solution.py", speed=False)
            saves.append(time.perf_counter() - before)
    yield Row(
        "save to verdict on being right, 8 inputs (watch looks every 50 ms)",
        f"{statistics.median(saves) * 1e3:.0f} ms",
        "300 ms allowed",
        None,
        "< 300 ms",
        statistics.median(saves) + 0.05 < 0.3,
        f"worst {max(saves) * 1e3:.0f} ms",
    )
