"""Measure what the section "A frame is memory" says, on this machine.

    python -m guide_vision.measure

Times are the median of many repetitions on one thread; memory is what NumPy and OpenCV asked
for while the call ran. Compare lines with each other, not with another machine.
"""

from __future__ import annotations

import sys
import time
import tracemalloc
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from functools import partial
from statistics import median

import cv2
import numpy as np

from guide_vision.pipeline.frame import Image

_REPEAT = 31


@dataclass(frozen=True, slots=True)
class Row:
    """One operation on one frame."""

    what: str
    ms: float
    asked_kib: float  # memory it asked for


def measure(call: Callable[[], object]) -> tuple[float, float]:
    """Median time of a call in ms, and the most memory it held, in KiB."""
    for _ in range(3):
        call()
    times = []
    for _ in range(_REPEAT):
        start = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - start)
    tracemalloc.start()
    before, _ = tracemalloc.get_traced_memory()
    call()
    _, peak = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    return median(times) / 1e6, (peak - before) / 1024


def operations(frame: Image) -> Iterator[tuple[str, Callable[[], object]]]:
    """What is compared; `frame` is H x W x 3."""
    height, width = frame.shape[:2]
    out = np.empty_like(frame)
    gray = np.empty((height, width), np.uint8)
    part = (width * 3 // 8, height * 3 // 8)
    small = np.empty((part[1], part[0], 3), np.uint8)
    table = np.rint(255 * (np.arange(256) / 255) ** (1 / 2.2)).astype(np.uint8)

    yield "a view: frame[h/4:-h/4]", lambda: frame[height // 4 : -height // 4]
    yield "frame.copy()", lambda: frame.copy()
    yield "np.copyto(out, frame)", lambda: np.copyto(out, frame)
    yield "one colour: frame[:, :, 1].copy()", lambda: frame[:, :, 1].copy()
    yield "one colour: cv2.extractChannel(dst=)", lambda: cv2.extractChannel(frame, 1, gray)
    yield "gray: cv2.cvtColor", lambda: cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY)
    yield "gray: cv2.cvtColor(dst=)", lambda: cv2.cvtColor(frame, cv2.COLOR_BGR2GRAY, dst=gray)
    yield "gray: frame.mean(axis=2)", lambda: frame.mean(axis=2)
    yield "half: frame[::2, ::2], a view too", lambda: frame[::2, ::2]
    for name, how in (
        ("NEAREST", cv2.INTER_NEAREST),
        ("LINEAR", cv2.INTER_LINEAR),
        ("AREA", cv2.INTER_AREA),
        ("CUBIC", cv2.INTER_CUBIC),
    ):
        yield (
            f"to 3/8: cv2.resize {name} (dst=)",
            partial(cv2.resize, frame, part, dst=small, interpolation=how),
        )
    yield "gamma: cv2.LUT(dst=)", lambda: cv2.LUT(frame, table, dst=out)
    yield "gamma: table[frame]", lambda: table[frame]
    yield "gamma: 255 * (frame / 255) ** g", lambda: 255 * (frame / 255) ** (1 / 2.2)


def table(width: int = 1280, height: int = 720) -> list[Row]:
    """All operations on one frame of noise."""
    before = cv2.getNumThreads()
    cv2.setNumThreads(1)
    try:
        frame = np.random.default_rng(0).integers(0, 256, (height, width, 3), np.uint8)
        return [Row(what, *measure(call)) for what, call in operations(frame)]
    finally:
        cv2.setNumThreads(before)


def main() -> None:
    """Print the table."""
    width, height = 1280, 720
    frame = np.zeros((height, width, 3), np.uint8)
    window = frame[100:200, 300:500]
    write = sys.stdout.write
    write(f"a frame of {width} x {height}: {frame.nbytes / 1024:,.0f} KiB\n")
    write(f"  strides {frame.strides}: bytes to the next row, pixel, colour\n")
    write(
        f"a window into it, 200 x 100: strides {window.strides}, "
        f"contiguous: {window.flags.c_contiguous}, its own memory: {window.base is None}\n\n"
    )
    write(f"{'operation':38}{'ms':>9}{'asked for':>14}\n")
    for row in table(width, height):
        write(f"{row.what:38}{row.ms:9.3f}{row.asked_kib:10,.0f} KiB\n")
    write("\nnext: guide start m1::e2\n")


if __name__ == "__main__":
    main()
