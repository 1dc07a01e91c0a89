"""Measure the card, step by step."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime
from functools import cache
from subprocess import SubprocessError

from guide.ceilings import gpu, system, throughput, waking
from guide.ceilings.card import Card, Figure, fingerprint, missing


def take(quick: bool, progress: Callable[[str], None]) -> Card:
    """Take every step; one that fails says so in its place. See `guide.ceilings.measure`."""
    start_ns = time.perf_counter_ns()
    figures: list[Figure] = []
    curve: list[tuple[int, float]] = []
    for what, step in _steps(quick, curve):
        progress(what)
        try:
            figures.extend(step())
        except (OSError, SubprocessError, MemoryError) as error:
            text = f"not measured: {error or 'not enough memory'}"
            figures.append(missing(what.replace(" ", "."), what, text))
    now = datetime.now(UTC).isoformat(timespec="seconds")
    seconds = (time.perf_counter_ns() - start_ns) / 1e9
    return Card(now, fingerprint(), figures, curve, quick, round(seconds, 1))


def _steps(
    quick: bool, curve: list[tuple[int, float]]
) -> Iterator[tuple[str, Callable[[], Iterator[Figure]]]]:
    # What wakes and starts comes before what warms every core and fills every cache.
    yield "clock", waking.clock
    yield "waking up", lambda: waking.lateness(quick)
    yield "handing over", waking.handover
    yield "starting programs", lambda: system.starting(quick)
    yield "disk", lambda: system.disk(quick)
    shop = cache(lambda: throughput.Workshop(quick))
    yield "memory bandwidth", lambda: throughput.bandwidth(shop())
    yield "arithmetic", lambda: throughput.arithmetic(shop())
    yield "memory latency", lambda: throughput.latency(shop(), curve)
    if not quick:
        yield "GPU", gpu.gpus
