"""Starting Python and its large packages; the disk."""

from __future__ import annotations

import os
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from importlib.util import find_spec

from guide.ceilings.card import Figure, best

_LARGE = ("numpy", "cv2", "numba", "torch")
_ENOUGH_NS = 300_000_000  # what takes longer is started once


def starting(quick: bool) -> Iterator[Figure]:
    """How long Python takes to start, bare and with each large package that is installed."""
    trials = [_start_ns("pass") for _ in range(4 if quick else 5)]
    why = "what any command line pays first"
    yield best("start.python", "starting Python", trials, "ns", why)
    for name in _LARGE[: 1 if quick else None]:
        if find_spec(name):
            trials = [_start_ns(f"import {name}")]
            while sum(trials) < _ENOUGH_NS and len(trials) < 3:
                trials.append(_start_ns(f"import {name}"))
            why = f"best of {len(trials)}" if len(trials) > 1 else "tried once"
            yield best(f"start.{name}", f"starting with {name}", trials, "ns", why)


def _start_ns(code: str) -> int:
    start_ns = time.perf_counter_ns()
    # -P: a file of that name, where the user stands, is not what is meant.
    subprocess.run([sys.executable, "-P", "-c", code], check=True, stderr=subprocess.DEVNULL)
    return time.perf_counter_ns() - start_ns


def disk(quick: bool) -> Iterator[Figure]:
    """Writing a file until it is safe, and reading it back from beyond the page cache."""
    import tempfile

    block, count = os.urandom(1 << 20), 8 if quick else 32
    writes, reads = [], []
    with tempfile.TemporaryFile(buffering=0) as file:

        def write() -> None:
            for _ in range(count):
                file.write(block)
            os.fsync(file.fileno())

        def read() -> None:
            while file.read(1 << 20):
                pass

        def rate(work: Callable[[], None]) -> float:
            file.seek(0)
            start_ns = time.perf_counter_ns()
            work()
            return 1000 * count * len(block) / (time.perf_counter_ns() - start_ns)

        for _ in range(3):
            writes.append(rate(write))
            if hasattr(os, "posix_fadvise"):
                os.posix_fadvise(file.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
                reads.append(rate(read))
    why = f"{count} MiB in the folder for temporary files"
    yield best("disk.write", "writing to disk", writes, "MB/s", f"{why}, until it is safe")
    if reads:
        yield best("disk.read", "reading from disk", reads, "MB/s", f"{why}, none of it cached")
