"""What a tick of a run takes: its spans that lie in no other, what is in none, and waking late."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guide.explain.answer import Part, printable
from guide.explain.spent.parts import OUTSIDE, largest
from guide.units import percent

_SAID = 0.01  # of a tick, from which on it is said how much of it is waking late
_APART = 0.05  # of a tick, from which on what is in no span is told apart from the other spans


def of_run(record: Mapping[str, Any]) -> tuple[int, tuple[Part, ...], str]:
    """What a tick takes, its parts by its spans, and what limits it.

    A tick is counted from when it was due until it was done, so waking late is part of it.
    """
    mean, late = _mean_and_late(record)
    whole = mean + late
    waking = (Part("waking late", late),) if late >= _SAID * whole else ()
    parts, rest = largest(outer(record))
    outside = max(mean - sum(part.ns for part in parts) - rest, 0)
    if not parts or not mean:
        return whole, waking, ""
    top = parts[0]
    limits = f"Most of a tick is {top.name}, {percent(min(top.ns, whole), whole)} of it."
    if outside > top.ns:
        limits = f"{percent(outside, whole)} of a tick lies {OUTSIDE}spans."
    if outside < _APART * whole:
        return whole, (*parts, Part("everything else", rest + outside), *waking), limits
    others = (Part("other spans", rest),) if rest else ()
    return whole, (*parts, *others, Part(f"{OUTSIDE}spans", outside), *waking), limits


def all_of_run(record: Mapping[str, Any]) -> tuple[Part, ...]:
    """Every part of a tick: its outer spans, what none of them covers, and waking late."""
    (mean, late), spans = _mean_and_late(record), outer(record)
    rest = max(mean - sum(part.ns for part in spans), 0)
    return (*spans, Part(f"{OUTSIDE}spans", rest), Part("waking late", late))


def _mean_and_late(record: Mapping[str, Any]) -> tuple[int, int]:
    late = max(round(record["lateness"]["mean_ns"]), 0) if record["loop"]["rate_hz"] else 0
    return round(record["tick_time"]["mean_ns"]), late


def outer(record: Mapping[str, Any]) -> list[Part]:
    """The spans of the loop that lie in no other, each with its time in a tick."""
    ticks = record["tick_time"]["count"] or 1
    spans = {name: span for name, span in record["spans"].items() if not span["beside"]}
    within = _within(record, spans)
    kept = {n: s for n, s in spans.items() if n not in within}
    return [Part(printable(n), round(s["total_ns"] / ticks)) for n, s in kept.items()]


def _within(record: Mapping[str, Any], spans: Mapping[str, Any]) -> set[str]:
    """Names of spans whose time is another's already, mostly: it is no part of a tick beside it.

    Names say it ("render/shade" lies in "render"), or the ticks of the flight records do. Garbage
    is collected in the midst of whatever runs; where the flights do not show in what, in a span.
    """
    said = {name for name in spans if name.rpartition("/")[0] in spans}
    took: dict[str, int] = {}
    inside: dict[str, int] = {}
    for flight in record.get("flights") or ():
        names, open_until = flight["names"], dict[int, list[int]]()
        for number, lane, start_ns, ns in sorted(flight["spans"], key=lambda r: (r[2], -r[3])):
            name, around = names[number], open_until.setdefault(lane, [])
            while around and around[-1] <= start_ns:
                around.pop()
            if name in spans:
                took[name] = took.get(name, 0) + ns
                inside[name] = inside.get(name, 0) + ns * bool(around)
            around.append(start_ns + ns)
    said |= {name for name in inside if inside[name] > took[name] / 2}
    said |= {"gc"} if len(spans) > 1 and "gc" not in took else set()
    return said | _too_much({n: s["total_ns"] for n, s in spans.items() if n not in said}, record)


def _too_much(total_ns: Mapping[str, int], record: Mapping[str, Any]) -> set[str]:
    """What cannot lie beside the others, for together they would take longer than the ticks."""
    ticks = record["tick_time"]
    left, gone = dict(total_ns), set[str]()
    while len(left) > 1:
        excess = sum(left.values()) - 1.01 * ticks["mean_ns"] * ticks["count"]
        if excess <= 0:
            break
        inner = sorted(left, key=lambda name: left[name])[:-1]
        name = next((n for n in inner if left[n] >= excess), inner[-1])
        gone.add(name)
        del left[name]
    return gone
