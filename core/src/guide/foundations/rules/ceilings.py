"""A loop that runs free: the span that limits it, and how far that is from what it could be."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guide.foundations.rules.seen import MEANT_TO_WAIT, Seen, can_move, places
from guide.plugin import Verdict, Word
from guide.units import duration, percent

_GOOD = 0.5
"""The share of a ceiling that good code reaches: half is what a library does with a shape it
likes, and nobody is told to mend that."""

_FAR = 0.1
"""The share of a ceiling below which something else than the machine is the limit."""

_MUCH = 0.3
"""The share of a tick that a span must take to be called what limits it."""

_UNEVEN = 0.1
"""The share of a mean tick that a span must take beyond its median."""

_TAIL = 3.0
"""How many times its median a span's slowest hundredth must take to count as slow now and then."""

_MANY = 100
"""How often there must have been a span before its slowest hundredth means anything."""

_CEILING = Word("ceiling", "What this machine does at best, as guide machine measured it.")


def far_below_ceiling(record: Mapping[str, Any]) -> list[Verdict]:
    """The span that limits a free-running loop, held against the machine, where it said its work.

    Args:
        record: the content of run.json.
    """
    seen = Seen(record)
    if not seen.tells or not seen.bound or not seen.inside:
        return []
    name = max(seen.inside, key=lambda n: seen.inside[n]["total_ns"])
    span = seen.inside[name]
    each_ns, roof = seen.a_tick(span["total_ns"]), _share_of_ceiling(seen, name)
    if roof is None or each_ns < _MUCH * seen.work_ns:
        return []
    share, what = roof
    far = share < _FAR
    given_ns = each_ns * seen.calm * (1 - share / _GOOD) if far else 0.0
    says = (
        f"{name} limits the loop, {percent(each_ns, seen.work_ns)} of a tick, and reaches "
        f"{percent(share, 1)} of this machine's {what}."
    )
    return [
        Verdict(
            "far below the machine" if far else "bound by its work",
            says,
            round(given_ns),
            why="What it moves and computes would take a fraction of its time: calls, copies or "
            "single steps in Python take the rest."
            if far
            else "The loop does what it was asked to, about as fast as this machine can.",
            remedy=f"Look into {name}: put spans inside it, or sample it with a profiler."
            if far
            else "",
            check=f"Run again: {name} comes closer to its ceiling in guide report." if far else "",
            sure="perhaps",
            at_most=True,
            where=places(record, [name]) if far else (),
            evidence=(
                *seen.evidence,
                (f"{name}, a tick", duration(each_ns)),
                (f"share of {what}", percent(share, 1)),
                ("given back, at most", f"{duration(given_ns)}: what it takes beyond half of that"),
            ),
            word=_CEILING,
            teaches=("m0/s0", "m0/s1"),
        )
    ]


def _share_of_ceiling(seen: Seen, name: str) -> tuple[float, str] | None:
    """The larger share of the two that a span can be bound by, bandwidth and computing."""
    work = (seen.record.get("work") or {}).get(name) or {}
    mean_ns, shares = seen.spans[name]["mean_ns"] * seen.calm, []
    dtype = work.get("dtype") or "f64"
    for key, figure, what in (
        ("bytes", "triad.all", "bandwidth"),
        ("flops", f"fma.{dtype}.all", f"{dtype} peak"),
    ):
        best = (seen.figures.get(figure) or {}).get("value")
        if work.get(key) and best and mean_ns:
            shares.append((work[key] / mean_ns / best, what))
    return max(shares, default=None)


def uneven(record: Mapping[str, Any]) -> list[Verdict]:
    """Whether a span of a free-running loop takes many times its usual time now and then.

    Args:
        record: the content of run.json.
    """
    seen = Seen(record)
    if not seen.tells or seen.paced:
        return []
    beyond = {
        name: seen.a_tick((span["mean_ns"] - span["p50_ns"]) * span["count"])
        for name, span in seen.inside.items()
        if name not in MEANT_TO_WAIT
        if span["count"] >= _MANY and span["p99_ns"] > _TAIL * span["p50_ns"]
    }
    # What a busy machine or the garbage collector adds is theirs to explain
    foreign_ns = seen.delay_ns + (seen.a_tick(seen.used["gc_ns"]) if seen.used else 0.0)
    most = max(beyond.values(), default=0.0)
    if most - foreign_ns < _UNEVEN * seen.work_ns:
        return []
    inner = [n for n in beyond if beyond[n] > 0.8 * most]
    name = min(inner, key=lambda n: seen.spans[n]["total_ns"])
    span, given_ns = seen.spans[name], beyond[name] - foreign_ns
    return [
        Verdict(
            "slow now and then",
            f"{name} mostly takes {duration(span['p50_ns'])}, and {duration(span['p99_ns'])} in "
            f"one of a hundred: {percent(given_ns, seen.work_ns)} of the mean tick.",
            round(given_ns),
            why="It does something in some ticks that it does not do in the others.",
            remedy=f"Look at what {name} does in the longest ticks (guide report --open)"
            + (", and do it beside the loop, or more rarely." if can_move(record, name) else "."),
            check=f"Run again: {name}'s p99 comes close to its p50.",
            sure="likely",
            where=places(record, [name]),
            evidence=(
                *seen.evidence,
                (f"{name}, p50", duration(span["p50_ns"])),
                (f"{name}, mean", duration(span["mean_ns"])),
                (f"{name}, p99", duration(span["p99_ns"])),
                ("given back", "its mean less its p50, over all ticks"),
            ),
            word=Word("tail", "The slowest few of many: here one of a hundred, the p99."),
            teaches=("m5/s1", "m0::e3"),
        )
    ]
