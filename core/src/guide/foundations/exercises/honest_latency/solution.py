"""Measure a server's latency from when each request was due."""

from collections.abc import Callable
from typing import Any


def latencies(
    server: Callable[[Any], None], clock: Any, period_ms: float, count: int
) -> list[float]:
    """Latencies in ms of `count` requests, one every `period_ms`."""
    found = []
    start = clock.now()
    for number in range(count):
        due = start + number * period_ms  # when a user pressed the button, ready or not
        clock.sleep_until(due)
        server(clock)
        found.append(clock.now() - due)
    return found
