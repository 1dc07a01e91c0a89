"""A server on a simulated clock, and what its users see, computed."""

import numpy as np

PERIOD_MS, SERVICE_MS = 2.0, 1.0


class Clock:
    """Time that passes when somebody waits."""

    def __init__(self):
        self._now = 0.0

    def now(self):
        """In ms."""
        return self._now

    def sleep_until(self, time_ms):
        """Wait until then, if that is not past."""
        self._now = max(self._now, time_ms)


def check(attempt):
    """How far the reported percentiles are off, as figures."""
    worst = {90: 0.0, 99: 0.0}
    for stall_ms, at in ((300.0, 200), (150.0, 500), (0.0, 0)):
        count = 1000
        found = attempt.latencies(server(stall_ms, at), Clock(), PERIOD_MS, count)
        assert isinstance(found, list), f"a list is wanted, not {type(found).__name__}"
        assert len(found) == count, f"{count} latencies are wanted, {len(found)} came"
        true = users(stall_ms, at, count)
        for percent in worst:
            right, reported = np.percentile(true, percent), np.percentile(found, percent)
            worst[percent] = max(worst[percent], 100 * abs(reported / right - 1))
    figures = {f"p{percent} off by, %": float(off) for percent, off in worst.items()}
    figures["true p90, ms"] = float(np.percentile(users(300.0, 200, 1000), 90))
    return figures


def server(stall_ms, at):
    """A server that stands still before its request number `at`."""
    handled = 0

    def handle(clock):
        nonlocal handled
        busy = SERVICE_MS + (stall_ms if handled == at else 0.0)
        handled += 1
        clock.sleep_until(clock.now() + busy)

    return handle


def users(stall_ms, at, count):
    """Latencies of requests that are sent on time, whatever happens: Lindley's recursion."""
    free, found = 0.0, []
    for number in range(count):
        due = number * PERIOD_MS
        free = max(free, due) + SERVICE_MS + (stall_ms if number == at else 0.0)
        found.append(free - due)
    return found
