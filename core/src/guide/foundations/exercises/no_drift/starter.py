"""A loop that drifts."""


def due_times(rate_hz: float, count: int) -> list[int]:
    """When each of `count` ticks is due, in ns from the first."""
    period_ns = int(1e9 / rate_hz)
    times = [0]
    for _ in range(count - 1):
        times.append(times[-1] + period_ns)
    return times
