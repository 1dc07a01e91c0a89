"""What the device did, and the launch that asked for each piece of it."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from guide.explain.trace import DEVICE, Ints, Trace, union

_BEFORE_ITS_LAUNCH = 1_000  # ns: a start this long before the launch means two clocks


@dataclass(frozen=True, slots=True, eq=False)
class Work:
    """The device's events in order of their start; several devices are taken as one.

    Attributes:
        event: index into the trace's events.
        start_ns, end_ns: when it ran, by the host's clock.
        launch: index of the runtime call that asked for it; -1: not known.
        launch_ns: when that call began; -1: not known.
        skew_ns: what was added to the device's times so that nothing runs before its launch.
    """

    event: Ints
    start_ns: Ints
    end_ns: Ints
    launch: Ints
    launch_ns: Ints
    skew_ns: int

    def __len__(self) -> int:
        return len(self.event)

    @property
    def ns(self) -> Ints:
        """How long each took."""
        return self.end_ns - self.start_ns

    @property
    def reached_ns(self) -> Ints:
        """The end of the latest of all that started before each; a large negative at first."""
        ends = np.maximum.accumulate(self.end_ns) if len(self) else self.end_ns
        return np.concatenate((np.full(min(len(self), 1), -(2**60)), ends[:-1]))

    @property
    def busy(self) -> tuple[Ints, Ints]:
        """When at least one piece of work ran."""
        return union(self.start_ns, self.end_ns)


def work_of(trace: Trace) -> Work:
    """All work of devices in a trace."""
    events = trace.events
    device = events.of(*DEVICE)
    start, end = events.start_ns[device], events.end_ns[device]
    launch = _launches(trace, device)
    known = launch >= 0
    launch_ns = np.where(known, events.start_ns[launch], -1)
    skew = 0
    if known.any():
        # Not the least of all: one event with a broken time is no clock
        soonest = int(np.percentile((start - launch_ns)[known], 0.5, method="lower"))
        skew = -soonest if soonest < -_BEFORE_ITS_LAUNCH else 0
    return Work(device, start + skew, end + skew, launch, launch_ns, skew)


def _launches(trace: Trace, device: Ints) -> Ints:
    """The latest runtime call of each one's correlation that began before it ended."""
    events = trace.events
    found = np.full(len(device), -1, np.int64)
    calls = events.of("runtime")
    calls = calls[events.correlation[calls] > 0]
    wanted = events.correlation[device]
    if not len(calls) or not (wanted > 0).any():
        return found
    known, rank = np.unique(events.correlation[calls], return_inverse=True)
    # A correlation is a process's own: in a file of several it comes more than once
    span = int(events.end_ns.max()) + 1
    keys = rank.astype(np.int64) * span + events.start_ns[calls]
    order = np.argsort(keys, kind="stable")
    at = np.searchsorted(known, wanted)
    has = (at < len(known)) & (wanted > 0)
    has[has] = known[at[has]] == wanted[has]
    for after in (events.end_ns[device], np.full(len(device), span - 1)):
        missing = has & (found < 0)
        spot = np.searchsorted(keys[order], at[missing] * span + after[missing], "right") - 1
        call = calls[order[np.maximum(spot, 0)]]
        same = (spot >= 0) & (events.correlation[call] == wanted[missing])
        found[np.flatnonzero(missing)[same]] = call[same]
    return found
