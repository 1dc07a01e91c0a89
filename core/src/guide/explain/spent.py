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
_UNEXPLAINED = 0.5  # of a step: a device that is idle for longer is not well, whoever knows why
_SAID = 0.01  # of a tick, from which on it is said how much of it is waking late
_NAMED = 3  # of the parts, the rest is one


def of_trace(trace: Trace) -> tuple[int, tuple[Part, ...], str]:
    """What a step takes, its parts, and what limits it, in a sentence."""
    events = trace.events
    if len(events.of(*DEVICE)):
        return _on_device(trace)
    for kinds, what in ((("op",), "operators"), (("span",), "spans"), (("python",), "functions")):
        if len(among := events.of(*kinds)):
            return trace.step_ns, *_on_host(trace, among[trace.in_steps[among]], what)
    return trace.step_ns, (), ""


def unsettled(trace: Trace, parts: Sequence[Part]) -> str:
    """Why a trace that no rule found anything in may be far from well all the same."""
    events = trace.events
    if not len(events.of(*DEVICE)):
        if len(events.of("runtime")):
            return "the program called a device, and nothing of its work is in the trace"
        return ""
    whole = sum(part.ns for part in parts)
    idle = sum(part.ns for part in parts if part.name == IDLE)
    if idle <= _UNEXPLAINED * whole:
        return ""
    return f"the GPU is idle {percent(idle, whole)} of the time, and no rule found why"


def of_run(record: Mapping[str, Any]) -> tuple[int, tuple[Part, ...], str]:
    """What a tick takes, its parts by its spans, and what limits it.

    A tick is counted from when it was due until it was done, so waking late is part of it.
    """
    ticks = record["tick_time"]["count"] or 1
    mean = round(record["tick_time"]["mean_ns"])
    late = max(round(record["lateness"]["mean_ns"]), 0) if record["loop"]["rate_hz"] else 0
    whole = mean + late
    waking = (Part("waking late", late),) if late >= _SAID * whole else ()
    spans = {name: span for name, span in record["spans"].items() if not span["beside"]}
    within = _within(record, spans)
    outer = {n: s for n, s in spans.items() if n not in within}
    parts = [Part(printable(n), round(s["total_ns"] / ticks)) for n, s in outer.items()]
    parts, rest = _largest(parts)
    rest = max(mean - sum(part.ns for part in parts), rest)
    if not parts or not mean:
        return whole, waking, ""
    top = parts[0]
    limits = f"Most of a tick is {top.name}, {percent(min(top.ns, whole), whole)} of it."
    return whole, (*parts, Part("everything else", rest), *waking), limits


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
    if busy >= _BUSY * step_ns:
        limits = (
            f"The GPU is busy {share} of the time, so it is the limit: "
            "only less work for it, or quicker kernels, would help."
        )
    else:
        limits = f"The GPU is busy {share} of the time; no rule found what it waits for."
    return step_ns, parts, limits


def _on_host(trace: Trace, among: Ints, what: str) -> tuple[tuple[Part, ...], str]:
    """By the time that each name takes without what it calls; threads side by side count once."""
    events, n = trace.events, len(trace.steps)
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
    by_name = np.zeros(len(events.names), np.int64)
    np.add.at(by_name, events.name[among], np.maximum(own[among], 0))
    order = np.argsort(-by_name, kind="stable")
    parts = [
        Part(printable(events.names[i]), round(int(by_name[i]) / n)) for i in order if by_name[i]
    ]
    covered = _covered(trace, among)
    parts, rest = _largest(parts)
    outside = max(trace.step_ns - covered, 0)
    if not parts:
        return (), ""
    top, most = parts[0], max(trace.step_ns, 1)
    limits = f"Most of it is {top.name}, {percent(min(top.ns, most), most)} of the time."
    if outside > top.ns:
        limits = f"{percent(outside, most)} of the time lies outside of {what}."
    others = (Part(f"other {what}", rest),) if rest else ()
    return (*parts, *others, Part(f"outside of {what}", outside)), limits


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
