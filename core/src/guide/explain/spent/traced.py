"""What a step of a trace takes: on the device where there is one, else on the host."""

from __future__ import annotations

from guide.explain.answer import Part
from guide.explain.spent.device import all_of_device, of_device
from guide.explain.spent.host import all_of_host, of_host
from guide.explain.trace import DEVICE, Trace


def of_trace(trace: Trace) -> tuple[int, tuple[Part, ...], str]:
    """What a step takes, its parts, and what limits it, in a sentence."""
    return of_device(trace) if len(trace.events.of(*DEVICE)) else of_host(trace)


def all_of_trace(trace: Trace) -> tuple[Part, ...]:
    """Every part of a step by name: of a device's its kernels, copies and idle time."""
    return all_of_device(trace) if len(trace.events.of(*DEVICE)) else all_of_host(trace)
