"""Parts of a time: by name, and the largest of them."""

from __future__ import annotations

import numpy as np

from guide.explain.answer import Part, printable
from guide.explain.trace import Ints, Trace

IDLE = "GPU idle"
OUTSIDE = "outside of "
_NAMED = 3  # of the parts, the rest is one


def largest(parts: list[Part]) -> tuple[list[Part], int]:
    """The largest parts, and the sum of the others."""
    parts = sorted(parts, key=lambda part: -part.ns)
    return parts[:_NAMED], sum(part.ns for part in parts[_NAMED:])


def by_name(trace: Trace, among: Ints, ns: Ints) -> list[Part]:
    """How long of a step events of each name took, the longest first."""
    events = trace.events
    total_ns = np.zeros(len(events.names), np.int64)
    np.add.at(total_ns, events.name[among], ns[among])
    order = np.argsort(-total_ns, kind="stable")
    n = len(trace.steps)
    return [
        Part(printable(events.names[i]), round(int(total_ns[i]) / n)) for i in order if total_ns[i]
    ]
