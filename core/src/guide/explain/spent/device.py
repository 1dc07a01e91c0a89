"""What a step takes on a device: computing, copying, idle."""

from __future__ import annotations

import numpy as np

from guide.explain.answer import Part
from guide.explain.spent.parts import IDLE, by_name
from guide.explain.trace import DEVICE, Trace, Window, covered_ns, union
from guide.units import percent


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


def of_device(trace: Trace) -> tuple[int, tuple[Part, ...], str]:
    """What a step takes until the device is done with it, its parts, and how busy it is."""
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


def all_of_device(trace: Trace) -> tuple[Part, ...]:
    """Every part of a step: kernels and copies by name, and idle time."""
    events, whole = trace.events, stretch(trace)
    device = events.of(*DEVICE)
    begun = (events.start_ns[device] >= whole.start_ns) & (events.start_ns[device] < whole.end_ns)
    device = device[begun]
    _, parts, _ = of_device(trace)
    idle = tuple(part for part in parts if part.name == IDLE)
    families: dict[str, int] = {}
    for part in by_name(trace, device, events.ns):
        family = _family(part.name)
        families[family] = families.get(family, 0) + part.ns
    return (*(Part(name, ns) for name, ns in families.items()), *idle)


def _family(kernel: str) -> str:
    """A kernel's name without what its template was made for."""
    name = kernel.replace("(anonymous namespace)::", "").removeprefix("void ")
    return name.partition("<")[0].partition("(")[0].strip() or kernel
