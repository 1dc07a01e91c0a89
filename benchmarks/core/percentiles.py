"""Recording a value into percentiles: ours, and those of the well-kept libraries."""

from __future__ import annotations

import random
import time
from collections.abc import Callable, Iterator

from benchmarks.rows import Row, interleaved, with_peers
from guide.percentiles import Histogram

N, ROUNDS = 20_000, 9


def rows() -> Iterator[Row]:
    """Nanoseconds a value, everything included, and the largest error at any quantile."""
    rng = random.Random(1)
    values = [int(rng.lognormvariate(14, 1.5)) for _ in range(N)]  # a millisecond, with a long tail
    histogram = Histogram()

    def ours() -> float:
        return _each(histogram.record, values, lambda: histogram.count)

    for name, peer in _peers():
        mine, theirs, ratio, spread = interleaved(ours, lambda p=peer: _each(p, values), ROUNDS)
        yield Row("recording a value", f"{mine:.0f} ns", f"{name} {theirs:.0f} ns", ratio,
                  "at most 100 ns", mine <= 100, spread)  # fmt: skip
    worst = _worst_error(values)
    yield Row("largest error at any quantile", f"{100 * worst:.2f} %", "exact", None,
              "at most 1.6 %", worst <= 0.016)  # fmt: skip


def _each(
    record: Callable[[int], object], values: list[int], settle: Callable[[], object] = lambda: None
) -> float:
    start = time.perf_counter_ns()
    for value in values:
        record(value)
    settle()
    return (time.perf_counter_ns() - start) / len(values)


def _worst_error(values: list[int]) -> float:
    """Over all hundredths of a percent, against the nearest rank."""
    histogram, ordered = Histogram(values), sorted(values)
    worst = 0.0
    for i in range(1, 10_001):
        exact = ordered[-(-i * len(ordered) // 10_000) - 1]
        worst = max(worst, abs(histogram.percentile(i / 100) - exact) / exact)
    return worst


def _peers() -> Iterator[tuple[str, Callable[[int], object]]]:
    with_peers()
    try:
        from hdrh.histogram import HdrHistogram

        yield "hdrhistogram", HdrHistogram(1, 10**12, 2).record_value
    except ImportError:
        pass
    try:
        from ddsketch import DDSketch

        yield "ddsketch", DDSketch(0.016).add
    except ImportError:
        pass
    yield "list.append, no percentiles", [].append
