"""What is measured of a variant, from inside its process."""

from __future__ import annotations

import os
import resource
import sys
import time
import zlib
from collections.abc import Iterable
from importlib import import_module
from pathlib import Path
from typing import Any

import numpy as np

from benchmarks.vision.work import Box, Image

_TICK_S = 1 / os.sysconf("SC_CLK_TCK")


class Meter:
    """Counts finished frames; the first ones, with tables and memory to set up, are not timed.

    Args:
        frames: how many are timed.
        warm_up: how many come before.
        wait: tell the parent "ready" after the warm-up, and wait for its word.

    Attributes:
        total: how many frames a variant is to work on, in all.
        children: ids of processes that do part of the work.
    """

    def __init__(self, frames: int, warm_up: int = 60, *, wait: bool = False) -> None:
        self.total = warm_up + frames
        self.children: list[int] = []
        self._frames, self._warm_up, self._wait = frames, warm_up, wait
        self._done = self._blobs = self._boxes = self._jpegs = 0
        self._began = self._ended = self._cpu = 0.0
        self._peak_mb = 0.0

    def done(self, found: list[Box], jpeg: Image | bytes) -> None:
        """A frame is finished; they are to come in order."""
        self._blobs += len(found)
        self._boxes = zlib.crc32(np.array(found, np.int32).tobytes(), self._boxes)
        self._jpegs = zlib.crc32(jpeg, self._jpegs)
        self._done += 1
        if self._done == self._warm_up:
            if self._wait:
                print("ready", flush=True)
                sys.stdin.readline()
            self._cpu = -self._cpu_s()
            self._began = time.perf_counter()
        elif self._done == self.total:
            self._ended = time.perf_counter()
            self._cpu += self._cpu_s()
            self._peak_mb = peak_mb() + sum(map(peak_mb, self.children))

    def result(self) -> dict[str, Any]:
        """Frames a second, CPU ms a frame, peak MB, digests; and when it ran."""
        if self._done != self.total:
            raise RuntimeError(f"{self._done} of {self.total} frames came")
        return {
            "fps": self._frames / (self._ended - self._began),
            "cpu_ms": self._cpu / self._frames * 1e3,
            "peak_mb": self._peak_mb,
            "blobs": self._blobs,
            "boxes": self._boxes,
            "jpegs": self._jpegs,
            "began": self._began,
            "ended": self._ended,
        }

    def _cpu_s(self) -> float:
        return time.process_time() + sum(map(_cpu_of, self.children))


def throughput(
    variant: str, clip: str, frames: int, warm_up: int, wait: bool = False
) -> dict[str, Any]:
    """Run a variant, "module:function", on the clip."""
    module, _, function = variant.partition(":")
    meter = Meter(frames, warm_up, wait=wait)
    getattr(import_module(f"benchmarks.vision.{module}"), function)(clip, meter)
    return meter.result()


def peak_mb(process: int | str = "self") -> float:
    """The most memory a process ever had resident.

    getrusage is the second choice: it keeps, through exec, what the parent had.
    """
    found = _status(process, "VmHWM:")
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1024 if found is None else found


def rss_mb() -> float:
    """What this process has resident now."""
    return _status("self", "VmRSS:") or peak_mb()


def _status(process: int | str, field: str) -> float | None:
    try:
        lines: Iterable[str] = Path(f"/proc/{process}/status").read_text().splitlines()
    except OSError:
        return None
    return next((int(line.split()[1]) / 1024 for line in lines if line.startswith(field)), None)


def _cpu_of(process: int) -> float:
    try:
        after_name = Path(f"/proc/{process}/stat").read_text().rpartition(")")[2].split()
    except OSError:
        return 0.0
    return (int(after_name[11]) + int(after_name[12])) * _TICK_S
