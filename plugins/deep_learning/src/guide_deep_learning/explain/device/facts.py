"""What the rules ask of a trace with the work of a device, worked out once."""

from __future__ import annotations

import functools
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from typing import Any

import numpy as np
from numpy.typing import NDArray

from guide.explain.trace import (
    CATEGORIES,
    DEVICE,
    Bools,
    Ints,
    Trace,
    Window,
    complement,
    covered_ns,
    union,
)
from guide_deep_learning.explain.device import names
from guide_deep_learning.explain.device.causes import Shares, changes, shares
from guide_deep_learning.explain.device.host import Intervals, activities
from guide_deep_learning.explain.device.replay import AT_ONCE, Change, Queue, queue_of, run_of
from guide_deep_learning.explain.device.threads import launching
from guide_deep_learning.explain.device.waits import Waits, waits_of
from guide_deep_learning.explain.device.work import Work, work_of

MATTERS = 0.05
"""The share of a step from which on it is worth mending; less is hardly measured."""

_LIMITS = 0.85  # of the time that the device is busy, from which on it is what limits
_ASKED = 0.5  # of the work whose launch is known, to know when the device could have begun


@dataclass(frozen=True, eq=False)
class Facts:
    """A trace with the work of a device.

    Attributes:
        trace, work, waits, queue: it, what the device did, where the host waited, the steps.
        did: what the host did when.
        causes: what can be taken away.
        kinds: of each piece of work, what it is: a kernel's kind, "copy in", "memset" ...
    """

    trace: Trace
    work: Work
    waits: Waits
    queue: Queue
    did: Mapping[str, Intervals]
    causes: Mapping[str, Change]
    kinds: NDArray[np.str_]

    @property
    def steps(self) -> int:
        """How many steps there are."""
        return len(run_of(self.trace.steps))

    @property
    def window_ns(self) -> int:
        """How long the stretch of all steps is."""
        return self.queue.window.ns

    @functools.cached_property
    def busy_ns(self) -> int:
        """How long the device worked, of the stretch."""
        return int(self.queue.piece_ns.sum())

    @property
    def idle_ns(self) -> int:
        """How long it did not."""
        return self.window_ns - self.busy_ns

    @property
    def busy(self) -> float:
        """The share of the time in which the device worked."""
        return self.busy_ns / self.window_ns if self.window_ns else 0.0

    @functools.cached_property
    def shares(self) -> Shares:
        """What each cause would give back."""
        return shares(self.queue, self.causes)

    @functools.cached_property
    def inside(self) -> Bools:
        """Of each piece of work, whether it lies in the stretch."""
        window, work = self.queue.window, self.work
        return (work.start_ns >= window.start_ns) & (work.start_ns < window.end_ns)

    def per_step(self, ns: float) -> int:
        """A time of the whole stretch as one of a step."""
        return round(ns / self.steps)

    def share(self, ns: float) -> float:
        """A time of the whole stretch as a share of it."""
        return ns / self.window_ns if self.window_ns else 0.0

    def matters(self, ns: float, least: float = MATTERS) -> bool:
        """Whether a time of the whole stretch is worth talking about."""
        return self.share(ns) >= least

    def of(self, *kinds: str) -> Bools:
        """Which pieces of work in the stretch are of these kinds."""
        return self.inside & np.isin(self.kinds, kinds)

    def spent_ns(self, which: Bools) -> int:
        """How long at least one of these ran: not a sum, a union."""
        starts, ends = union(self.work.start_ns[which], self.work.end_ns[which])
        return int((ends - starts).sum())

    def exposed_ns(self, which: Bools) -> int:
        """How long these ran while nothing else did."""
        others = self.inside & ~which
        starts, ends = union(self.work.start_ns[which], self.work.end_ns[which])
        cover = union(self.work.start_ns[others], self.work.end_ns[others])
        return int((ends - starts).sum() - covered_ns(cover, starts, ends).sum())

    @functools.cached_property
    def asked(self) -> bool:
        """Whether the trace says when the work was launched."""
        first, n = self.queue.first, len(self.queue.piece_ns)
        return float((self.work.launch[first : first + n] >= 0).mean()) >= _ASKED

    @functools.cached_property
    def _given(self) -> Queue:
        """The queue to shorten work in.

        Where launches are not known and the device is hardly ever idle, it is what limits: all it
        has to do is taken to lie there, and its gaps to stay as they are. Where it is idle for
        longer, the host may be the limit, and nothing is promised of work that comes sooner.
        """
        queue = self.queue
        if self.asked or self.busy < _LIMITS:
            return queue
        begin, nothing = queue.window.start_ns, np.zeros_like(queue.launch_ns)
        none = Waits(*(column[:0] for column in queue.waits.columns))
        return replace(
            queue,
            host_end_ns=begin,
            held_ns=queue.idle_ns,
            launch_ns=np.full_like(queue.launch_ns, begin),
            way_ns=nothing,
            waits=none,
            after=nothing,
        )

    def saved_ns(self, which: Bools, factor: float | NDArray[np.float64], *causes: str) -> int:
        """What the stretch is shorter by if these took `factor` of their time.

        And if the causes named are gone too: the waits for a copy, the host's part of an exchange.
        """
        queue = self._given
        change = Change(device=queue.shorter(self.work, which, factor))
        for cause in causes:
            change |= self.causes.get(cause, Change())
        return max(queue.replay() - queue.replay(change), 0)

    def asked_in(self, activity: str) -> Bools:
        """Which pieces of work were launched while the host did this."""
        starts, ends = self.did[activity]
        if not len(starts):
            return np.zeros(len(self.work), bool)
        at = self.work.launch_ns
        spot = np.searchsorted(starts, at, "right") - 1
        found: Bools = (spot >= 0) & (at < ends[np.maximum(spot, 0)])
        return found

    def more_ns(self, cause: str, which: Bools, factor: float) -> int:
        """What a cause gives back beside idle time, if work of its own takes `factor` as long."""
        return max(self.saved_ns(which, factor, cause) - self.shares.alone[cause], 0)

    @functools.cached_property
    def gaps(self) -> tuple[Ints, Ints]:
        """When the device was idle: starts and ends."""
        return complement(self.work.busy, self.queue.window)

    @functools.cached_property
    def threads(self) -> Ints:
        """The tracks of the threads that launch work."""
        return launching(self.trace, self.work.launch[self.work.launch >= 0])

    @functools.cached_property
    def prompt(self) -> float:
        """The share of kernels that ran as soon as they were launched: the queue was empty."""
        first, n = self.queue.first, len(self.queue.piece_ns)
        launch = self.work.launch_ns[first : first + n]
        known = launch >= 0
        way = self.work.start_ns[first : first + n] - launch
        return float((way[known] <= AT_ONCE).mean()) if known.any() else 0.0

    @property
    def kernels(self) -> Bools:
        """Which pieces of work in the stretch are kernels."""
        kernel = CATEGORIES.index("kernel")
        found: Bools = self.inside & (self.trace.events.category[self.work.event] == kernel)
        return found

    def by_name(self, what: Callable[[str], object]) -> NDArray[Any]:
        """Of each piece of work what a function says of its name, asked once of each name."""
        ids, at = np.unique(self.trace.events.name[self.work.event], return_inverse=True)
        return np.array([what(str(self.trace.events.names[i])) for i in ids.tolist()])[at]

    def name(self, piece: int) -> str:
        """The name of a piece of work."""
        return self.trace.events.name_of(int(self.work.event[piece]))


@functools.lru_cache(maxsize=1)
def facts_of(trace: Trace) -> Facts | None:
    """What there is to know; None where no device did anything."""
    if not len(trace.events.of(*DEVICE)):
        return None
    work = work_of(trace)
    waits = waits_of(trace, work)
    queue = queue_of(trace, work, waits)
    if not len(queue.piece_ns) or queue.window.ns <= 0:
        return None
    done = max(queue.host_end_ns, queue.window.start_ns + 1)
    did = activities(trace, work, queue.waits, Window(queue.window.start_ns, done))
    causes = changes(trace, queue.waits, did)
    return Facts(trace, work, waits, queue, did, causes, _kinds(trace, work))


def _kinds(trace: Trace, work: Work) -> NDArray[np.str_]:
    events = trace.events
    by_name: dict[tuple[int, int], str] = {}
    found = []
    for name, category in zip(
        events.name[work.event].tolist(), events.category[work.event].tolist(), strict=True
    ):
        kind = by_name.get((name, category))
        if kind is None:
            text = str(events.names[name])
            how: dict[int, Callable[[str], str]] = {
                CATEGORIES.index("memcpy"): lambda text: f"copy {names.copy(text)}",
                CATEGORIES.index("memset"): lambda _: "memset",
            }
            kind = by_name[name, category] = how.get(category, names.kernel)(text)
        found.append(kind)
    return np.array(found)
