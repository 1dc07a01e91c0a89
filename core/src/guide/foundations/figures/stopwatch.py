"""The one way that these figures time a call."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import Any

from guide.learn.chart import Bars, Lines, Series

_LONG_NS = 200_000  # a batch that the clock, and being interrupted once, hardly change


def best_ns(call: Callable[[], object], quick: bool = False, budget_ns: int = 60_000_000) -> float:
    """The shortest time of `call`, in ns, of batches that together last about `budget_ns`.

    The shortest, because whatever disturbs a trial makes it slower, never faster.
    """
    now_ns, count, took_ns = time.perf_counter_ns, 1, 0
    call()
    while True:
        start_ns = now_ns()
        for _ in range(count):
            call()
        took_ns = now_ns() - start_ns
        if took_ns >= _LONG_NS:
            break
        count *= 2
    best, end_ns = took_ns, now_ns() + (budget_ns // 20 if quick else budget_ns)
    while now_ns() < end_ns:
        start_ns = now_ns()
        for _ in range(count):
            call()
        best = min(best, now_ns() - start_ns)
    return best / count


def statement_ns(statement: str, setup: str = "", quick: bool = False, **names: object) -> float:
    """The shortest time of a Python statement, in ns, the loop around it taken off."""
    import timeit

    def best(text: str) -> float:
        timer = timeit.Timer(text, setup, globals=dict(names))
        number = 2_000 if quick else 20_000
        return min(timer.repeat(3 if quick else 9, number)) / number * 1e9

    return max(best(statement) - best("pass"), 0.1)


def rows(data: Mapping[str, Any]) -> list[tuple[str, float]]:
    """The bars of a figure that keeps them under "rows"."""
    return [(str(name), float(value)) for name, value in data["rows"]]


def series(data: Mapping[str, Any]) -> list[Series]:
    """The lines of a figure that keeps them under "lines", as points by label."""
    return [
        Series(label, [float(x) for x, _ in points], [float(y) for _, y in points])
        for label, points in data["lines"].items()
    ]


def time_bars(data: Mapping[str, Any]) -> Bars:
    """Times beside one another, shorter is better; what is compared stands under "what"."""
    return Bars(rows(data), "ns", str(data["what"]), log=bool(data.get("log", True)))


def over_size(data: Mapping[str, Any]) -> Lines:
    """Lines over a size in bytes, both axes logarithmic."""
    return Lines(series(data), "size", str(data["y"]), x_marks=SIZES)


SIZES: Sequence[tuple[float, str]] = [
    (2.0**10, "1 KiB"),
    *((2.0**n, f"{2 ** (n - 10)} KiB") for n in (12, 15, 18)),
    *((2.0**n, f"{2 ** (n - 20)} MiB") for n in (21, 24, 27)),
]
