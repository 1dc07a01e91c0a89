"""Figures of time: how late one wakes, what a percentile hides, who is blamed for waiting."""

from __future__ import annotations

import threading
import time
from collections.abc import Mapping, Sequence
from queue import SimpleQueue
from typing import Any, Literal

from guide.foundations.figures.stopwatch import series
from guide.learn.chart import Lines

_PERCENTS = (0, 10, 25, 50, 75, 90, 95, 99, 100)


def lateness(quick: bool = False) -> dict[str, Any]:
    """How late a sleep ends, by time.sleep and by the clock of this package, at 240 Hz."""
    from guide.ceilings.waking import _plain_sleep, late
    from guide.clock import SystemClock

    count, punctual = 24 if quick else 240, SystemClock()
    late(punctual.sleep_until, 1000, 50)  # it learns how late the machine wakes it
    ways = {"time.sleep": _plain_sleep, "sleep, then spin": punctual.sleep_until}
    times = {name: sorted(late(sleep, 240, count)) for name, sleep in ways.items()}
    plain, spun = times.values()
    return {
        "lines": {
            name: [(p, max(at(found, p), 100) / 1000) for p in _PERCENTS]
            for name, found in times.items()
        },
        "values": {
            "plain_ns": at(plain, 50),
            "plain99_ns": at(plain, 99),
            "spun_ns": at(spun, 50),
            "spun99_ns": at(spun, 99),
        },
    }


def draw_lateness(data: Mapping[str, Any]) -> Lines:
    """Over the percentile."""
    return _over_percent(data, "µs late")


def at(order: Sequence[float], percent: float) -> float:
    """The value that so many percent of a sorted list are at or below."""
    return order[min(round(len(order) * percent / 100), len(order) - 1)]


def trials(quick: bool = False) -> dict[str, Any]:
    """The same function, timed three hundred times, one after another."""
    times = []
    numbers = list(range(2_000 if quick else 20_000))
    for _ in range(50 if quick else 300):
        start_ns = time.perf_counter_ns()
        sum(numbers)
        times.append(time.perf_counter_ns() - start_ns)
    order = sorted(times)
    return {
        "lines": {"": [(p, at(order, p) / 1000) for p in _PERCENTS]},
        "values": {
            "least_ns": order[0],
            "median_ns": at(order, 50),
            "mean_ns": sum(times) / len(times),
            "worst_ns": order[-1],
            "worst_x": order[-1] / order[0],
        },
    }


def draw_trials(data: Mapping[str, Any]) -> Lines:
    """Over the percentile."""
    return _over_percent(data, "µs")


def omission(quick: bool = False) -> dict[str, Any]:
    """A server that stands still once, as two load tests see it: computed, no clock.

    It answers in 1 ms. In the middle of ten seconds it stands still for 300 ms. One test asks
    when it has its answer, the other every 2 ms whatever happens.
    """
    polite, steady = waits(patient=True), waits(patient=False)
    return {
        "computed": True,
        "lines": {
            "asks when answered": [(p, at(polite, p) / 1e6) for p in _PERCENTS],
            "asks every 2 ms": [(p, at(steady, p) / 1e6) for p in _PERCENTS],
        },
        "values": {
            "claimed_ns": at(polite, 99),
            "true_ns": at(steady, 99),
            "asked_count": len(polite),
            "waited_count": sum(ns > 2_000_000 for ns in steady),
        },
    }


def waits(patient: bool, seconds: float = 10.0, stall_ns: int = 300_000_000) -> list[int]:
    """How long each request took, sorted: of a test that is `patient`, or of one that is steady."""
    answer_ns, period_ns, end_ns = 1_000_000, 2_000_000, round(seconds * 1e9)
    stall_at_ns, stalled = end_ns // 2, False
    found, free_ns, due_ns = [], 0, 0
    while due_ns < end_ns:
        start_ns = max(free_ns, due_ns)
        if start_ns >= stall_at_ns and not stalled:
            start_ns, stalled = start_ns + stall_ns, True
        free_ns = start_ns + answer_ns
        found.append(free_ns - due_ns)
        # Whoever waits for the answer asks late, and so never sees the queue.
        due_ns = max(due_ns + period_ns, free_ns) if patient else due_ns + period_ns
    return sorted(found)


def draw_omission(data: Mapping[str, Any]) -> Lines:
    """Over the percentile."""
    return _over_percent(data, "ms to an answer", log="")


def _over_percent(data: Mapping[str, Any], label: str, log: Literal["", "y"] = "y") -> Lines:
    # Spread like this, since all that matters lies past 90.
    place = {p: float(i) for i, p in enumerate(_PERCENTS)}
    points = {
        name: [(place[int(p)], max(y, 1e-3)) for p, y in points]
        for name, points in data["lines"].items()
    }
    marks = [(place[p], "max" if p == 100 else f"p{p}") for p in (0, 25, 50, 90, 99, 100)]
    return Lines(series({"lines": points}), "percentile", label, log=log, x_marks=marks)


def device(quick: bool = False) -> dict[str, Any]:
    """A device that works for itself, as one that reads a result back sees it.

    The device is a thread: it takes work from a queue, and a copy is an order like any other, as
    on a GPU's stream. Its work is a sleep, so no core is needed for it.
    """
    orders: SimpleQueue[float | threading.Event | None] = SimpleQueue()
    work_s, copy_s, launches = (0.0005, 0.0001, 5) if quick else (0.004, 0.0005, 10)

    def obey() -> None:
        while (order := orders.get()) is not None:
            if isinstance(order, threading.Event):
                order.set()
            else:
                time.sleep(order)

    def copy_back() -> None:
        done = threading.Event()
        orders.put(copy_s)
        orders.put(done)
        done.wait()

    def wait() -> None:
        done = threading.Event()
        orders.put(done)
        done.wait()

    stream = threading.Thread(target=obey)
    stream.start()
    now_ns = time.perf_counter_ns
    a = now_ns()
    for _ in range(launches):
        orders.put(work_s)
    b = now_ns()
    copy_back()
    c = now_ns()
    for _ in range(launches):
        orders.put(work_s)
    wait()
    d = now_ns()
    copy_back()
    e = now_ns()
    orders.put(None)
    stream.join()
    found = [
        ("launch the work", float(b - a)),
        ("read it at once", float(c - b)),
        ("wait for it", float(d - c)),
        ("then read it", float(e - d)),
    ]
    return {
        "what": "what the program sees, twice the same work",
        "rows": found,
        "values": {
            "launch_ns": found[0][1],
            "blamed_ns": found[1][1],
            "copy_ns": found[3][1],
            "blamed_x": found[1][1] / found[3][1],
        },
    }


def noticing(quick: bool = False) -> dict[str, Any]:
    """How late a program notices that something happened: it looks now and then, or is woken."""
    count = 4 if quick else 25
    found = []
    for name, period_s in (("looks every 10 ms", 0.01), ("looks every ms", 0.001), ("is woken", 0)):
        late = sorted(_noticed_ns(period_s) for _ in range(count))
        found.append((name, float(late[len(late) // 2])))
    return {
        "what": "late by, median, shorter is better",
        "rows": found,
        "values": {
            "slow_ns": found[0][1],
            "quick_ns": found[1][1],
            "woken_ns": found[2][1],
            "woken_x": found[0][1] / found[2][1],
        },
    }


def _noticed_ns(period_s: float) -> int:
    event, happened = threading.Event(), [0]

    def happen() -> None:
        time.sleep(0.012 + (time.perf_counter_ns() % 7) * 0.001)  # at no round time
        happened[0] = time.perf_counter_ns()
        event.set()

    thread = threading.Thread(target=happen)
    thread.start()
    if period_s:
        while not event.is_set():
            time.sleep(period_s)
    else:
        event.wait()
    late_ns = time.perf_counter_ns() - happened[0]
    thread.join()
    return late_ns
