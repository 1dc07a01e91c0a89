"""What the time of a step is, before any rule has said what is wrong with it."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import numpy as np

from guide.explain.answer import Part, printable
from guide.explain.trace import DEVICE, Ints, Trace, Window, covered_ns, union
from guide.units import percent

IDLE = "GPU idle"
_BUSY = 0.85  # of a step, from which on the device is what limits
_UNEXPLAINED = 0.5  # of a step: where more of it is not accounted for, nobody can call it well
_OUTSIDE = "outside of "
_KINDS = {"op": "operators", "span": "spans", "python": "functions"}
_TELLING = (*DEVICE, "op", "span", "python")  # events that say what a step's time is
_SAID = 0.01  # of a tick, from which on it is said how much of it is waking late
_OTHERS = 0.3  # processors that others keep busy: below it is what a desktop does by itself
_NAMED = 3  # of the parts, the rest is one


def of_trace(trace: Trace) -> tuple[int, tuple[Part, ...], str]:
    """What a step takes, its parts, and what limits it, in a sentence."""
    events = trace.events
    if len(events.of(*DEVICE)):
        return _on_device(trace)
    for kind, what in _KINDS.items():
        if len(among := events.of(kind)):
            return trace.step_ns, *_on_host(trace, among[trace.in_steps[among]], what)
    return trace.step_ns, (), ""


def conclusion(parts: Sequence[Part]) -> str:
    """What it means for a device where no rule found anything; "" where there is none."""
    whole = sum(part.ns for part in parts)
    if not whole or not any(part.name == IDLE for part in parts):
        return ""
    if whole - _named(parts, IDLE) >= _BUSY * whole:
        return "So it is the limit: only less work for it, or quicker kernels, would help."
    return "No rule found what it waits for."


def unsettled(trace: Trace, parts: Sequence[Part], watched: Sequence[Part]) -> str:
    """Why a trace that no rule found anything in may be far from well all the same.

    Args:
        trace: it.
        parts: of a step that nobody watches; empty where the profiler slowed it too much to say.
        watched: of a step as the profiler saw it.
    """
    events = trace.events
    if len(events.of(*DEVICE)):
        share, what = _share(parts, IDLE), "the GPU is idle {}"
    else:
        if len(events.of("runtime")):
            return "the program called a device, and nothing of its work is in the trace"
        share, what = _share(watched, _OUTSIDE), "{} lies outside of all " + _kind(watched)
    found = len(events.of(*_TELLING))
    if not found:
        return "no operator, no kernel, no span and no function is in the trace"
    if found == 1:
        return "one event is all that is in the trace"
    if not len(events.of(*DEVICE, "op", "span")):
        return "no operator is in it, so all of its time is Python's, and no rule says why"
    asked, calls = (events.correlation[events.of(*of)] for of in (DEVICE, ("runtime",)))
    if len(asked) and share > 1 - _BUSY and not np.isin(asked[asked > 0], calls).any():
        return what.format(f"{percent(share, 1)} of the time") + ", and its launches are not known"
    if share <= _UNEXPLAINED:
        return ""
    return what.format(f"{percent(share, 1)} of the time") + ", and no rule found why"


def _named(parts: Sequence[Part], start: str) -> int:
    return sum(part.ns for part in parts if part.name.startswith(start))


def _share(parts: Sequence[Part], start: str) -> float:
    return _named(parts, start) / max(sum(part.ns for part in parts), 1)


def _kind(parts: Sequence[Part]) -> str:
    """What a step was divided into: operators, spans, functions."""
    outside = (part.name for part in parts if part.name.startswith(_OUTSIDE))
    return next(outside, _OUTSIDE).removeprefix(_OUTSIDE)


def crowded(trace: Trace) -> tuple[str, ...]:
    """What to say where others used the processors while a trace was taken; nothing where not.

    `guide profile` notes how many they kept busy, and how many threads the program computes with.
    """
    said = trace.about.get("guide")
    said = said if isinstance(said, Mapping) else {}
    numbers = [said.get(name) for name in ("others", "threads", "cores")]
    if not all(isinstance(n, int | float) and 0 <= n < 1e6 for n in numbers):
        return ()
    others, threads, cores = (float(n) for n in numbers if n is not None)
    if others < _OTHERS or others + threads <= cores + _OTHERS:
        return ()
    return (
        f"other programs kept {others:.1f} of {cores:.0f} processors busy while this was taken: "
        "on a quiet machine a step is shorter, and its parts are other shares of it",
    )


def of_run(record: Mapping[str, Any]) -> tuple[int, tuple[Part, ...], str]:
    """What a tick takes, its parts by its spans, and what limits it.

    A tick is counted from when it was due until it was done, so waking late is part of it.
    """
    mean, late = _mean_and_late(record)
    whole = mean + late
    waking = (Part("waking late", late),) if late >= _SAID * whole else ()
    parts, rest = _largest(_outer(record))
    rest = max(mean - sum(part.ns for part in parts), rest)
    if not parts or not mean:
        return whole, waking, ""
    top = parts[0]
    limits = f"Most of a tick is {top.name}, {percent(min(top.ns, whole), whole)} of it."
    return whole, (*parts, Part("everything else", rest), *waking), limits


def all_of_run(record: Mapping[str, Any]) -> tuple[Part, ...]:
    """Every part of a tick: its outer spans, what none of them covers, and waking late."""
    (mean, late), outer = _mean_and_late(record), _outer(record)
    rest = max(mean - sum(part.ns for part in outer), 0)
    return (*outer, Part("outside of spans", rest), Part("waking late", late))


def all_of_trace(trace: Trace) -> tuple[Part, ...]:
    """Every part of a step by name: of a device's its kernels, copies and idle time."""
    events = trace.events
    device = events.of(*DEVICE)
    if not len(device):
        for kind, what in _KINDS.items():
            if len(among := events.of(kind)):
                among = among[trace.in_steps[among]]
                outside = max(trace.step_ns - _covered(trace, among), 0)
                rest = Part(f"{_OUTSIDE}{what}", outside)
                return (*_by_name(trace, among, _own_ns(trace, among)), rest)
        return ()
    whole = stretch(trace)
    begun = (events.start_ns[device] >= whole.start_ns) & (events.start_ns[device] < whole.end_ns)
    device = device[begun]
    _, parts, _ = _on_device(trace)
    idle = tuple(part for part in parts if part.name == IDLE)
    families: dict[str, int] = {}
    for part in _by_name(trace, device, events.ns):
        family = _family(part.name)
        families[family] = families.get(family, 0) + part.ns
    return (*(Part(name, ns) for name, ns in families.items()), *idle)


def _family(kernel: str) -> str:
    """A kernel's name without what its template was made for."""
    name = kernel.replace("(anonymous namespace)::", "").removeprefix("void ")
    return name.partition("<")[0].partition("(")[0].strip() or kernel


def _mean_and_late(record: Mapping[str, Any]) -> tuple[int, int]:
    late = max(round(record["lateness"]["mean_ns"]), 0) if record["loop"]["rate_hz"] else 0
    return round(record["tick_time"]["mean_ns"]), late


def _outer(record: Mapping[str, Any]) -> list[Part]:
    """The spans of the loop that lie in no other, each with its time in a tick."""
    ticks = record["tick_time"]["count"] or 1
    spans = {name: span for name, span in record["spans"].items() if not span["beside"]}
    within = _within(record, spans)
    outer = {n: s for n, s in spans.items() if n not in within}
    return [Part(printable(n), round(s["total_ns"] / ticks)) for n, s in outer.items()]


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


def stretch(trace: Trace) -> Window:
    """From when the first step began until the device was done with the last.

    The host runs ahead of the device, so its steps say little of how long theirs take: what it
    launched before them is theirs no more, what it launched in them is.
    """
    events, steps = trace.events, trace.steps
    first, last = steps[0].start_ns, steps[-1].end_ns
    device = events.of(*DEVICE)
    calls = events.of("runtime")
    calls = calls[events.correlation[calls] >= 0]
    if not trace.stepped or not len(device):
        return Window(first, last)
    calls = calls[np.argsort(events.correlation[calls], kind="stable")]
    known = events.correlation[calls]
    asked = events.start_ns[device].copy()
    if len(calls):
        at = np.minimum(np.searchsorted(known, events.correlation[device]), len(known) - 1)
        found = known[at] == events.correlation[device]
        asked[found] = events.start_ns[calls[at[found]]]
    ends = events.end_ns[device]
    begin = int(ends[asked < first].max(initial=first))
    return Window(begin, int(ends[asked < last].max(initial=max(last, begin + 1))))


def _on_device(trace: Trace) -> tuple[int, tuple[Part, ...], str]:
    whole, n = stretch(trace), len(trace.steps)
    step_ns = round(whole.ns / n)

    def covered(*kinds: str) -> int:
        among = trace.events.of(*kinds)
        cover = union(trace.events.start_ns[among], trace.events.end_ns[among])
        edges = (np.array([t], np.int64) for t in whole[:2])
        return round(int(covered_ns(cover, *edges).sum()) / n)

    kernels, busy = covered("kernel"), covered(*DEVICE)
    idle = max(step_ns - busy, 0)
    parts = (
        Part("computing on the GPU", kernels),
        Part("only copying", busy - kernels),
        Part(IDLE, idle),
    )
    share = percent(busy, step_ns)
    return step_ns, parts, f"The GPU is busy {share} of the time."


def _on_host(trace: Trace, among: Ints, what: str) -> tuple[tuple[Part, ...], str]:
    """By the time that each name takes without what it calls; threads side by side count once."""
    parts, rest = _largest(_by_name(trace, among, _own_ns(trace, among)))
    outside = max(trace.step_ns - _covered(trace, among), 0)
    if not parts:
        return (), ""
    top, most = parts[0], max(trace.step_ns, 1)
    limits = f"Most of it is {top.name}, {percent(min(top.ns, most), most)} of the time."
    if outside > top.ns:
        limits = f"{percent(outside, most)} of the time lies {_OUTSIDE}{what}."
    others = (Part(f"other {what}", rest),) if rest else ()
    return (*parts, *others, Part(f"{_OUTSIDE}{what}", outside)), limits


def _own_ns(trace: Trace, among: Ints) -> Ints:
    """Of each event how long it took, of some without those of them that lie in it."""
    events = trace.events
    inside = np.zeros(len(events), bool)
    inside[among] = True
    # Only what is of this kind is taken out: an operator owns the runtime calls that it makes
    own = events.ns.copy()
    parent = trace.parent
    nested = among[(parent[among] >= 0)]
    holder = parent[nested]
    for _ in range(8):  # past what is of another kind, up to the one it lies in
        other = (holder >= 0) & ~inside[holder]
        if not other.any():
            break
        holder = np.where(other, parent[holder], holder)
    kept = (holder >= 0) & inside[holder]
    np.subtract.at(own, holder[kept], events.ns[nested[kept]])
    return np.maximum(own, 0)


def _by_name(trace: Trace, among: Ints, ns: Ints) -> list[Part]:
    """How long of a step events of each name took, the longest first."""
    events = trace.events
    by_name = np.zeros(len(events.names), np.int64)
    np.add.at(by_name, events.name[among], ns[among])
    order = np.argsort(-by_name, kind="stable")
    n = len(trace.steps)
    return [
        Part(printable(events.names[i]), round(int(by_name[i]) / n)) for i in order if by_name[i]
    ]


def _covered(trace: Trace, among: Ints) -> int:
    """How long of a step at least one of these events was open, on average."""
    events = trace.events
    cover = union(events.start_ns[among], events.end_ns[among])
    starts = np.array([step.start_ns for step in trace.steps], np.int64)
    ends = np.array([step.end_ns for step in trace.steps], np.int64)
    return round(int(covered_ns(cover, starts, ends).sum()) / len(trace.steps))


def _largest(parts: list[Part]) -> tuple[list[Part], int]:
    """The largest parts, and the sum of the others."""
    parts = sorted(parts, key=lambda part: -part.ns)
    return parts[:_NAMED], sum(part.ns for part in parts[_NAMED:])
