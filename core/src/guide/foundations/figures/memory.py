"""Figures of memory: how far, how fast, how laid out, what asking for it costs."""

from __future__ import annotations

import gc
import time
from collections.abc import Mapping
from functools import partial
from operator import contains
from typing import Any

from guide.foundations.figures.stopwatch import best_ns, series
from guide.learn.chart import Lines


def latency(quick: bool = False) -> dict[str, Any]:
    """A load that waits for the one before, over the size of what it walks through."""
    from guide.ceilings import cached
    from guide.ceilings import throughput as card

    kept = cached()
    curve = [] if quick or kept is None else list(kept.curve)
    if not curve:
        list(card.latency(card.Workshop(quick=True), curve))
    first, last = curve[0][1], curve[-1][1]
    return {
        "y": "ns for a load",
        "lines": {"": curve},
        "values": {"l1_ns": first, "memory_ns": last, "memory_x": last / first},
    }


def bandwidth(quick: bool = False) -> dict[str, Any]:
    """Numpy's copy of one array to another, over their size: bytes read plus written."""
    import numpy as np

    points = []
    for power in range(14, 24 if quick else 27):
        source = np.ones(1 << power, np.uint8)
        target = np.empty_like(source)
        ns = best_ns(partial(np.copyto, target, source), quick)
        points.append((2 << power, (2 << power) / ns))
    best = max(gbs for _, gbs in points)
    memory = points[-1][1]
    return {
        "y": "GB/s, read plus written",
        "lines": {"": points},
        "values": {"cache_gbs": best, "memory_gbs": memory, "cache_x": best / memory},
    }


def strides(quick: bool = False) -> dict[str, Any]:
    """The sum of as many numbers, further and further from each other."""
    import numpy as np

    count = 1 << (12 if quick else 16)
    whole = np.ones(count * 64)
    points = []
    for power in range(7):
        view = whole[: count << power : 1 << power]
        points.append((8 << power, best_ns(view.sum, quick) / count))
    return {
        "lines": {"": points},
        "values": {
            "side_ns": points[0][1],
            "line_ns": points[3][1],
            "far_ns": points[-1][1],
            "far_x": points[-1][1] / points[0][1],
        },
    }


def draw_strides(data: Mapping[str, Any]) -> Lines:
    """Over the distance in bytes."""
    marks = [(float(8 << n), str(8 << n)) for n in range(7)]
    return Lines(series(data), "bytes from one number to the next", "ns a number", x_marks=marks)


def first_touch(quick: bool = False) -> dict[str, Any]:
    """Filling fresh memory and memory that was filled before, over its size."""
    import numpy as np

    def fresh(size: int) -> None:
        np.empty(size, np.uint8).fill(1)

    new, old = [], []
    for power in range(12, 24 if quick else 27, 1):
        held, size = np.ones(1 << power, np.uint8), 1 << power
        pages = max(size / 4096, 1)
        new.append((size, best_ns(partial(fresh, size), quick, 30_000_000) / pages))
        old.append((size, best_ns(partial(held.fill, 1), quick, 30_000_000) / pages))
    return {
        "y": "ns for each 4 KiB",
        "lines": {"fresh": new, "had already": old},
        "values": {
            "fresh_ns": new[-1][1],
            "held_ns": old[-1][1],
            "fresh_x": new[-1][1] / old[-1][1],
            "small_ns": new[0][1],
        },
    }


def lookups(quick: bool = False) -> dict[str, Any]:
    """Whether a number is in a list, a sorted list and a set, by how many there are."""
    from bisect import bisect_left

    scan, halve, hashed = [], [], []
    for power in range(2, 12 if quick else 18, 3):
        count = 1 << power
        held = list(range(0, 2 * count, 2))
        as_set, wanted = set(held), count * 2 - 2  # for the list the worst there is

        def found(held: list[int] = held, wanted: int = wanted) -> bool:
            return held[bisect_left(held, wanted)] == wanted

        scan.append((count, best_ns(partial(contains, held, wanted), quick)))
        halve.append((count, best_ns(found, quick)))
        hashed.append((count, best_ns(partial(contains, as_set, wanted), quick)))
    return {
        "lines": {"list": scan, "bisect": halve, "set": hashed},
        "values": {
            "list_ns": scan[-1][1],
            "bisect_ns": halve[-1][1],
            "set_ns": hashed[-1][1],
            "small_ns": scan[0][1],
            "most_count": scan[-1][0],
        },
    }


def draw_lookups(data: Mapping[str, Any]) -> Lines:
    """Over how many there are."""
    marks = [(4.0, "4"), (256.0, "256"), (4096.0, "4,096"), (131072.0, "131,072")]
    return Lines(series(data), "how many there are", "ns to find the last", x_marks=marks)


def collections(quick: bool = False) -> dict[str, Any]:
    """One full pass of the garbage collector, by how many lists are alive."""
    points = []
    held: list[list[object]] = []
    enabled = gc.isenabled()
    gc.disable()
    gc.collect()
    gc.freeze()  # what else this process holds is not counted
    try:
        for count in (1_000, 10_000, 30_000) if quick else (1_000, 10_000, 100_000, 500_000):
            held += [[i] for i in range(len(held), count)]
            gc.collect()
            start_ns = time.perf_counter_ns()
            gc.collect()
            points.append((count, float(time.perf_counter_ns() - start_ns)))
        gc.freeze()  # and now nothing is
        start_ns = time.perf_counter_ns()
        gc.collect()
        frozen_ns = float(time.perf_counter_ns() - start_ns)
    finally:
        gc.unfreeze()
        if enabled:
            gc.enable()
    return {
        "lines": {"": [(count, ns / 1e6) for count, ns in points]},
        "values": {
            "pass_ns": points[-1][1],
            "objects_count": points[-1][0],
            "each_ns": points[-1][1] / points[-1][0],
            "frozen_ns": frozen_ns,
        },
    }


def draw_collections(data: Mapping[str, Any]) -> Lines:
    """Over the number of objects."""
    marks = [(10.0**n, f"{10**n:,}") for n in range(3, 6)] + [(5e5, "500,000")]
    return Lines(series(data), "lists that are alive", "ms for a full pass", x_marks=marks)
