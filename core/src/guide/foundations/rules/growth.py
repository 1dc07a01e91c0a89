"""Memory that grows and goes on growing, told from a run that is only getting warm."""

from __future__ import annotations

import statistics
from collections.abc import Mapping, Sequence
from itertools import pairwise
from typing import Any

from guide.foundations.rules.seen import Seen
from guide.plugin import Verdict, Word
from guide.units import duration, size

_WARM_S = 2.0
"""Seconds in which a run may grow as it likes: caches fill, compilers compile, pools are made."""

_WARM = 0.25
"""The same as a share of the run, where that is longer."""

_FEW = 20
"""Samples after that which say something: two seconds of them."""

_PARTS = 5
"""Parts of the rest, in each of which it must have grown. What fills a cache or a heap once does
not; the chance that a level without a trend does is one in 120."""

_SLOWING = 0.5
"""The rate in the last parts, as a share of the rate in the first, below which it is coming to
rest: a curve that flattens is a pool that is being filled."""

_LEAST_BYTES = 8e6
"""Growth in that time which must be exceeded: an allocator takes memory by the megabyte, and the
record of a run itself grows by some."""

_LEAST = 0.02
"""The same as a share of the memory in use."""

_PAGE_NS = 500.0
"""What a new page costs, where the time in the kernel does not say."""


def memory_growth(record: Mapping[str, Any]) -> list[Verdict]:
    """Whether memory grows with every tick, without end.

    The slope is Theil and Sen's, the median of the slopes between all pairs of samples, which a
    few wild samples do not move. It counts when the lowest level of each fifth of the run is above
    that of the fifth before (so the teeth of a saw that a garbage collector files off do not), and
    the growth does not slow down.

    Args:
        record: the content of run.json.
    """
    seen = Seen(record)
    samples = seen.column("memory")
    if not samples or not seen.tells:
        return []
    end_s = samples[-1][0]
    samples = [(t, v) for t, v in samples if t >= max(_WARM_S, _WARM * end_s)]
    if len(samples) < _FEW:
        return []
    lowest = [min(v for _, v in part) for part in _parts(samples)]
    steps = [after - before for before, after in pairwise(lowest)]
    grown = lowest[-1] - lowest[0]
    if min(steps) <= 0 or grown < max(_LEAST_BYTES, _LEAST * lowest[-1]):
        return []
    half = len(steps) // 2
    if sum(steps[-half:]) < _SLOWING * sum(steps[:half]):
        return []
    slope = _theil_sen(samples)
    if slope <= 0 or not seen.wall_ns:
        return []
    a_tick = seen.a_tick(slope * seen.wall_ns / 1e9)
    given_ns = a_tick / 4096 * _page_ns(seen)
    total = (record.get("machine") or {}).get("memory_bytes") or 0
    left_s = (total - samples[-1][1]) / slope if total else 0.0
    full = f": in {duration(left_s * 1e9)} this machine's memory is full" if left_s > 0 else ""
    return [
        Verdict(
            "memory grows",
            f"Memory grows by {size(slope)} a second, {size(a_tick)} a tick, and does not slow "
            f"down{full}.",
            max(round(given_ns), 1),
            why="Something keeps what every tick makes: a list that is appended to, a cache "
            "without a limit, a result that holds the graph or the array behind it.",
            remedy="Bound it: collections.deque(maxlen=...), functools.lru_cache(maxsize=...), "
            "a copy of the small part instead of a view of the large one.",
            check="Run again, longer: memory in guide report runs level. tracemalloc compares two "
            "snapshots and names the line that keeps it.",
            sure="sure",
            evidence=(
                *seen.evidence,
                ("slope (Theil-Sen)", f"{size(slope)} a second over {len(samples)} samples"),
                ("grown in that time", size(grown)),
                ("given back", "a tick's new pages, each the kernel's time for one; and the run"),
            ),
            word=Word("leak", "Memory that is kept and never used again."),
            teaches=("m1/s4", "m1::e22"),
            pressing=True,
        )
    ]


def _parts(samples: Sequence[tuple[float, float]]) -> list[Sequence[tuple[float, float]]]:
    edges = [round(i * len(samples) / _PARTS) for i in range(_PARTS + 1)]
    return [samples[a:b] for a, b in pairwise(edges)]


def _theil_sen(samples: Sequence[tuple[float, float]]) -> float:
    few = samples[:: max(len(samples) // 150, 1)]
    slopes = [
        (v1 - v0) / (t1 - t0)
        for i, (t0, v0) in enumerate(few)
        for t1, v1 in few[i + 1 :]
        if t1 > t0
    ]
    return statistics.median(slopes) if slopes else 0.0


def _page_ns(seen: Seen) -> float:
    faults, system_s = seen.totals.get("faults.minor", 0), seen.totals.get("cpu.system", 0)
    return min(1e9 * system_s / faults, _PAGE_NS) if faults else _PAGE_NS
