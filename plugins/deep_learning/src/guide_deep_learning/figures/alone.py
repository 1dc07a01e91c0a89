"""How these figures are measured: with one thread, and seldom."""

from __future__ import annotations

import contextlib
import statistics
import time
from collections.abc import Callable, Iterator


@contextlib.contextmanager
def threads(count: int = 1) -> Iterator[None]:
    """Within the block torch computes with so many threads; then with as many as before."""
    import torch

    before = torch.get_num_threads()
    torch.set_num_threads(count)
    try:
        yield
    finally:
        torch.set_num_threads(before)


def median_ns(call: Callable[[], object], seconds: float) -> float:
    """The median time of `call` over `seconds`, after one that does not count.

    The shortest would hide what now and then disturbs a call, where that is what is asked.
    """
    call()
    times: list[int] = []
    until_ns = time.perf_counter_ns() + int(seconds * 1e9)
    while not times or time.perf_counter_ns() < until_ns:
        began_ns = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - began_ns)
    return statistics.median(times)
