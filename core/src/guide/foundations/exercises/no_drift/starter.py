"""A loop that drifts."""


def due_times(rate_hz: float, count: int) -> list[int]:
    """When each of `count` ticks is due, in ns from the first."""
    period_ns = round(1000 / rate_hz) * 1_000_000  # whole milliseconds, as a timer takes them
    times = [0]
    for _ in range(count - 1):
        times.append(times[-1] + period_ns)
    return times
