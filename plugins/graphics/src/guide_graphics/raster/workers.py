"""Threads that share out the bands of a frame: whoever is done takes the next."""

from __future__ import annotations

import itertools
import os
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor


def usable_cpus() -> int:
    """CPUs this process may run on, which in a container are fewer than the machine has."""
    try:
        return len(os.sched_getaffinity(0))
    except AttributeError:  # macOS and Windows have no such call
        return os.cpu_count() or 1


class Workers:
    """A number of threads, the calling one among them.

    Which thread takes which job is left to chance; results are not, as long as jobs write to
    different places.
    """

    def __init__(self, threads: int | None = None) -> None:
        self.threads = max(usable_cpus() if threads is None else threads, 1)
        self._pool = (
            ThreadPoolExecutor(self.threads - 1, thread_name_prefix="raster")
            if self.threads > 1
            else None
        )

    def run(self, job: Callable[[int], None], jobs: int) -> None:
        """Call `job(0)` to `job(jobs - 1)`, each once; return when all are done."""
        numbers = itertools.count()  # next() on it is atomic: one call into C

        def take() -> None:
            while (number := next(numbers)) < jobs:
                job(number)

        others = [self._pool.submit(take) for _ in range(self.threads - 1)] if self._pool else []
        try:
            take()
        finally:
            for other in others:
                other.result()

    def close(self) -> None:
        """End the other threads; what is run from now on, the calling one does alone."""
        if self._pool:
            self._pool.shutdown()
            self._pool = None
