"""Why a trace that no rule found anything in may be far from well."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np

from guide.explain.answer import Part
from guide.explain.spent.parts import IDLE, OUTSIDE
from guide.explain.trace import DEVICE, Trace
from guide.units import percent

_BUSY = 0.85  # of a step, from which on the device is what limits
_UNEXPLAINED = 0.5  # of a step: where more of it is not accounted for, nobody can call it well
_TELLING = (*DEVICE, "op", "span", "python")  # events that say what a step's time is


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
        share, what = _share(watched, OUTSIDE), "{} lies outside of all " + _kind(watched)
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
    outside = (part.name for part in parts if part.name.startswith(OUTSIDE))
    return next(outside, OUTSIDE).removeprefix(OUTSIDE)
