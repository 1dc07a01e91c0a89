"""Time of a tick that lies in no span: where in the tick it is, and whose."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guide.foundations.rules.lines import one_call
from guide.foundations.rules.seen import Seen, hot_lines, told
from guide.plugin import Verdict, Word
from guide.units import duration, percent

_MUCH = 0.15
"""The share of a tick that must lie in no span."""

_NAMED = 2  # gaps that are named
_LONG = 0.15  # of all that lies in no span, from which on a gap is


def outside_spans(record: Mapping[str, Any]) -> list[Verdict]:
    """Whether much of a tick that misses its deadline lies in no span.

    Args:
        record: the content of run.json.
    """
    seen = Seen(record)
    if not seen.tells or seen.budget_ns is None:
        return []
    over_ns = seen.over_ns("over budget")
    lines = hot_lines(record, "")
    # A line that has a verdict of its own needs no second one
    alone = {(place.file, place.line) for said in one_call(record) for place in said.where}
    own_ns = sum(ns for place, ns in lines if (place.file, place.line) in alone)
    left_ns = seen.outside_ns - own_ns
    if not over_ns or left_ns < _MUCH * seen.work_ns:
        return []
    from guide.explain.spent.gaps import gaps

    long = [gap for gap in gaps(record) if gap.share >= _LONG][:_NAMED]
    between = "; ".join(f"{percent(gap.share, 1)} of that {gap}" for gap in long)
    says = f"{duration(seen.outside_ns)} of a tick, {seen.share(seen.outside_ns)}, lie in no span"
    remedy = "Put a span around it, and the next run names it; guide profile . names its lines."
    if lines:
        remedy = f"{told(lines)} outside of spans{_into(record)}. Is that needed at every "
        remedy += "tick? What a library keeps of an object is lost when it is handed a new one."
    return [
        Verdict(
            "outside of spans",
            f"{says}: {between}." if between else f"{says}.",
            round(min(left_ns * seen.calm, over_ns)),
            why="What has no span has no name in the report, so nobody looks there. A library's "
            "call may do much before it opens its first span, such as prepare anew what was handed "
            "to it as new.",
            remedy=remedy,
            check="Run again: less of a tick lies outside of spans.",
            sure="perhaps",
            at_most=True,
            where=tuple(place for place, _ in lines),
            evidence=(
                *seen.evidence,
                *((f"after {g.after or 'the start'}", percent(g.share, 1)) for g in long),
                ("given back, at most", "all of it, or what a tick is over its budget"),
            ),
            word=Word("span", "A named stretch of a tick: with tick.span(name)."),
            teaches=("m5/s1", "m5/s2"),
        )
    ]


def _into(record: Mapping[str, Any]) -> str:
    """The library's function that most of the time outside of spans is in, in words."""
    sums: dict[str, int] = {}
    for row in record["sampled"]["rows"]:
        if row["file"] and not row["span"]:
            sums[row["inner"]] = sums.get(row["inner"], 0) + row["ns"]
    top = max(sums, key=lambda name: sums[name], default="")
    return f", mostly in {top}" if top else ""
