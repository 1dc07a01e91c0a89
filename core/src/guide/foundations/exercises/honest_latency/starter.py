"""Measure a server's latency, one request after the other."""

from collections.abc import Callable
from typing import Any


def latencies(
    server: Callable[[Any], None], clock: Any, period_ms: float, count: int
) -> list[float]:
    """Latencies in ms of `count` requests, one every `period_ms`."""
    found = []
    for _ in range(count):
        sent = clock.now()
        server(clock)
        found.append(clock.now() - sent)
        clock.sleep_until(sent + period_ms)
    return found
