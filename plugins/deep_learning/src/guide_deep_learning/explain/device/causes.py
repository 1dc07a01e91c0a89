"""The idle time shared out: each nanosecond of it to one cause.

The cause whose removal saves most is taken away first; then, from what is left, the one that now
saves most, and so on. What each saves in its turn is its own, so that all of them together save
no more than there is. A slow program is the last to be asked: operators that take their time cost
something only after everything that can be mended in one line is mended.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass

import numpy as np

from guide.explain.trace import Trace
from guide_deep_learning.explain.device.host import Intervals
from guide_deep_learning.explain.device.replay import NOTHING, Change, Queue
from guide_deep_learning.explain.device.waits import Waits

LAST = "launches"
"""What is asked after all others."""
_LITTLE = 0.002  # of the stretch: less than this is not told apart from nothing
_LOOP = 40  # launches in an optimizer's step; one that takes all parameters at once needs a few


@dataclass(frozen=True, slots=True)
class Shares:
    """What each cause would give back, in ns of the whole stretch.

    Attributes:
        alone: with only this cause taken away.
        shared: in its turn after those that cost more; these add up.
        left_ns: the device's idle time that no cause explains.
    """

    alone: Mapping[str, int]
    shared: Mapping[str, int]
    left_ns: int


def changes(trace: Trace, waits: Waits, did: Mapping[str, Intervals]) -> dict[str, Change]:
    """What to take away for each cause that the trace has a sign of.

    Nothing where the host's side is absent: a gap of the device's alone does not say why it is.
    """
    if not len(trace.events.of("op", "runtime", "annotation", "python")):
        return {}
    found = {
        "loader": Change(did["loader"]),
        "compile": Change(did["compile"], waits.call[waits.of("compile")]),
        "debug": Change(did["debug"], waits.call[waits.of("debug")]),
        "cpu": Change(did["cpu"]),
        "profiler": Change(did["profiler"]),
        "item": Change(did["item"], waits.call[waits.of("item")]),
        "shape": Change(NOTHING, waits.call[waits.of("shape")]),
        "synchronize": Change(NOTHING, waits.call[waits.of("synchronize")]),
        "blocking": Change(NOTHING, waits.call[waits.of("blocking")]),
        "copy in": Change(NOTHING, waits.call[waits.of("in")]),
        "copy back": Change(NOTHING, waits.call[waits.of("back")]),
        "allocator": Change(did["allocator"], waits.call[waits.of("allocator")]),
        "code": Change(did["code"]),
        "python": Change(did["python"]),
        "communication": Change(did["communication"]),
        "launches": Change(did["operator"]) | Change(did["between"]),
    }
    optimizer = Change(did["optimizer"])
    if not len(trace.events.of("op")):
        # Without operators in the trace nobody can say what the host does between launches
        found["launches"] |= found.pop("python")
    if loops(trace):
        found["optimizer"] = optimizer
    else:
        found["launches"] |= optimizer
    return {name: change for name, change in found.items() if not change.empty}


def loops(trace: Trace) -> bool:
    """Whether an optimizer takes its parameters one by one."""
    events = trace.events
    among = events.of("op", "annotation")
    steps = events.named("Optimizer.step#", "Optimizer.zero_grad#", among=among)
    steps = steps[trace.in_steps[steps]]
    if not len(steps):
        return False
    # What counts is launches: a _foreach_ operator calls many operators and launches a few kernels
    launches = events.named("aunch", among=events.of("runtime"))
    first = np.searchsorted(events.start_ns[launches], events.start_ns[steps])
    end = np.searchsorted(events.start_ns[launches], events.end_ns[steps])
    return int((end - first).sum()) > _LOOP * len(trace.steps)


def shares(queue: Queue, causes: Mapping[str, Change]) -> Shares:
    """Share the idle time out."""
    whole = queue.replay()
    alone = {name: max(whole - queue.replay(change), 0) for name, change in causes.items()}
    shared = dict.fromkeys(causes, 0)
    taken, now = Change(), whole
    for rank in (False, True):
        open_ = [name for name in causes if (name == LAST) == rank]
        while open_:
            gains = {name: now - queue.replay(taken | causes[name]) for name in open_}
            best = max(open_, key=lambda name: gains[name])
            if gains[best] < _LITTLE * whole:
                break
            shared[best] = gains[best]
            taken, now = taken | causes[best], now - gains[best]
            open_.remove(best)
    idle = queue.window.ns - int(queue.piece_ns.sum())
    return Shares(alone, shared, max(idle - sum(shared.values()), 0))
