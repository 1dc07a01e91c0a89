"""How figures, lines of source and stretches of the timeline get into a verdict."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from guide.explain.source import candidates, innermost_python
from guide.explain.trace import Ints
from guide.plugin import Pin, Place
from guide.units import duration, percent
from guide_deep_learning.explain.device.facts import Facts
from guide_deep_learning.explain.device.host import Intervals, both

_PINS = 4
_LOOKED_AT = 200  # moments at which the open Python function is looked up
_AFTER = 5_000  # ns between what was waited for and the gap that follows it


def ms(facts: Facts, ns: float) -> str:
    """A time of all steps as that of one: "4.13 ms"."""
    return duration(facts.per_step(ns))


def of_step(facts: Facts, ns: float) -> str:
    """A time of all steps as that of one, with its share: "4.13 ms of a step (12 %)"."""
    whole = "a step" if facts.trace.stepped else "the trace"
    return f"{ms(facts, ns)} of {whole} ({percent(ns, facts.window_ns)})"


def each(facts: Facts) -> str:
    """What figures are given for: "a step", or "the trace" where it names no steps."""
    return "a step" if facts.trace.stepped else "the trace"


def usual(facts: Facts, *more: tuple[str, str]) -> tuple[tuple[str, str], ...]:
    """The figures that every verdict rests on, and some more."""
    return (
        ("step" if facts.trace.stepped else "length of the trace", ms(facts, facts.window_ns)),
        ("GPU busy", percent(facts.busy_ns, facts.window_ns)),
        ("GPU idle", ms(facts, facts.idle_ns)),
        *more,
    )


def gaps_in(facts: Facts, *activities: str) -> tuple[Pin, ...]:
    """The largest idle gaps of the typical step in which the host did one of these."""
    starts = np.concatenate([facts.did[name][0] for name in activities])
    ends = np.concatenate([facts.did[name][1] for name in activities])
    order = np.argsort(starts, kind="stable")
    return largest(facts, both((starts[order], ends[order]), facts.gaps))


def gaps_after(facts: Facts, *kinds: str) -> tuple[Pin, ...]:
    """The largest idle gaps of the typical step that follow a wait of these kinds."""
    waits = facts.queue.waits
    ends = np.sort(waits.end_ns[waits.of(*kinds)])
    starts, closes = facts.gaps
    if not len(ends):
        return ()
    before = ends[np.maximum(np.searchsorted(ends, starts + _AFTER) - 1, 0)]
    # A wait ends where its gap begins: the device had nothing left to do
    follows = np.abs(starts - before) <= _AFTER
    return largest(facts, (starts[follows], closes[follows]))


def largest(facts: Facts, intervals: Intervals) -> tuple[Pin, ...]:
    """The largest of some intervals that begin in the typical step, in order."""
    step = facts.trace.typical
    starts, ends = intervals
    mine = np.flatnonzero((starts >= step.start_ns) & (starts < step.end_ns))
    if not len(mine):
        mine = np.arange(len(starts))
    chosen = sorted(mine[np.argsort(starts[mine] - ends[mine], kind="stable")[:_PINS]].tolist())
    return tuple(Pin(int(starts[i]), int(ends[i])) for i in chosen)


def lines(facts: Facts, events: Ints, *constructs: str) -> tuple[Place, ...]:
    """The lines of a person's own that these events of the host came from, most time first."""
    trace = facts.trace
    spent: dict[str, int] = {}
    longest = events[np.argsort(-trace.events.ns[events], kind="stable")[:_LOOKED_AT]]
    for event in longest.tolist():
        function = innermost_python(trace, int(event))
        if function is not None:
            spent[function] = spent.get(function, 0) + int(trace.events.ns[event])
    return _places(spent, constructs)


def lines_open(facts: Facts, intervals: Intervals, *constructs: str) -> tuple[Place, ...]:
    """The lines of a person's own that were open in these intervals of the host's time."""
    trace, spent = facts.trace, dict[str, int]()
    starts, ends = intervals
    for at in np.argsort(starts - ends, kind="stable")[:_LOOKED_AT].tolist():
        middle = int(starts[at] + ends[at]) // 2
        for track in facts.threads:
            function = innermost_python(trace, t_ns=middle, track=int(track))
            if function is not None:
                spent[function] = spent.get(function, 0) + int(ends[at] - starts[at])
                break
    return _places(spent, constructs)


def _places(spent: dict[str, int], constructs: Sequence[str]) -> tuple[Place, ...]:
    ranked = sorted(spent, key=lambda name: (-spent[name], name))[:2]
    found = [place for name in ranked for place in candidates(name, constructs)[:2]]
    return tuple(dict.fromkeys(found))
