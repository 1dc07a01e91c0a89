"""What is done in one step of many, and so is in hardly any trace: an evaluation, a save."""

from __future__ import annotations

import statistics

from guide.explain.trace import Trace
from guide.units import duration

_LONG = 1.5  # times the median of the recorded steps: then it is in the trace
_WORTH = 0.03  # of the mean step
_QUIET = 0.3  # processors that others keep busy; above it they may be the reason


def seldom(trace: Trace) -> list[str]:
    """Whether a few steps take far longer than the others, and whether one of them is recorded."""
    about = trace.about.get("guide")
    about = about if isinstance(about, dict) else {}
    said = about.get("uneven")
    names = ("steps", "usual_ns", "long", "long_ns", "longest_ns", "every")
    if not isinstance(said, dict) or not all(isinstance(said.get(n), int) for n in names):
        return []
    steps, usual_ns, long, long_ns, longest_ns, every = (int(said[name]) for name in names)
    if not (steps > 0 and 0 < usual_ns < long_ns):
        return []
    often = 1 / every if every > 0 else long / steps
    extra_ns = often * (long_ns - usual_ns)
    if extra_ns < _WORTH * (usual_ns + extra_ns):
        return []
    if not every and _number(about.get("others")) >= _QUIET:
        return []
    times = f"{long_ns / usual_ns:.2g} times as long as the others, {duration(long_ns)}"
    if every:
        what = f"One step in {every} takes {times} (an evaluation, a save?)"
    else:
        what = f"{long} of the {steps} steps that were timed took {times}"
        if long > 1:
            what += f", one of them {duration(longest_ns)}"
        what += " (an evaluation, a save, or something else on this machine?)"
    took = [step.ns for step in trace.steps]
    if len(took) > 1 and max(took) > _LONG * statistics.median(took):
        return [f"{what}; one like it is in this trace."]
    of_run = str(about.get("found", "")).startswith("a tick")
    further = "guide run, then guide explain, tells of it"
    if not of_run:
        further = f"guide profile --steps {min(every or 2 * steps, 100)} may record one"
    return [f"{what}: it is not in this trace; {further}."]


def _number(said: object) -> float:
    return float(said) if isinstance(said, int | float) else 0.0
