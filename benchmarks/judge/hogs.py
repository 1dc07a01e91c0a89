"""Verdicts while other programs want the processor too."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Iterator
from pathlib import Path

from benchmarks.rows import Row
from guide.judge.judging import Judge, Result
from guide.judge.manifest import read_manifest

FOLDER = Path(__file__).parents[2] / "core/src/guide/foundations/exercises/walk_with_the_grain"


def rows(quick: bool) -> Iterator[Row]:
    """Good code and slow code, under 0 to 8 hogs: how often each verdict is the right one."""
    times = 2 if quick else 50 if "--long" in sys.argv else 10
    for count in (0, 2, 8) if quick else (0, 1, 2, 4, 8):
        with hogs(count), Judge(read_manifest(FOLDER)) as judge:
            good = [judge.judge(FOLDER / "solution.py") for _ in range(times)]
            slow = [judge.judge(FOLDER / "starter.py") for _ in range(times)]
        passed = sum(result.passed for result in good)
        failed = sum(result.state == "correct" for result in slow)
        wrong = sum(r.state == "correct" for r in good) + sum(r.passed for r in slow)
        milliseconds = [r.speed.ns["yours"] / 1e6 for r in good if r.speed]
        yield Row(
            f"{count} hogs: good code passes, slow code fails, of {times} each",
            f"{passed}, {failed}",
            f"absolute ms of the same code: {min(milliseconds):.1f} to {max(milliseconds):.1f}",
            None,
            "no wrong verdict",
            wrong == 0,
            f"ratios {_range(good)}; {_seconds(good + slow):.1f} s a verdict",
        )


@contextlib.contextmanager
def hogs(count: int) -> Iterator[None]:
    """So many processes that do nothing but compute, for the length of the block."""
    code = "while True: sum(range(10_000))"
    started = [subprocess.Popen([sys.executable, "-c", code]) for _ in range(count)]
    time.sleep(0.2)
    try:
        yield
    finally:
        for one in started:
            one.kill()
            one.wait()


def _range(results: list[Result]) -> str:
    ratios = [r.speed.standing.over_naive.median for r in results if r.speed]
    return f"{min(ratios):.1f} to {max(ratios):.1f}"


def _seconds(results: list[Result]) -> float:
    return sum(r.speed.seconds for r in results if r.speed) / len(results)
