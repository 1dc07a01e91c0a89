"""Other programs on the processors while something was measured, and what that does to its time."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from guide.explain.trace import Trace
from guide.plugin import Verdict

_OTHERS = 0.3  # processors that others keep busy: below it is what a desktop does by itself
_READY = 1.25  # own threads that want to run, for each processor: then who is in line is in its own


@dataclass(frozen=True, slots=True)
class Crowd:
    """How far others had the processors.

    Attributes:
        in_line_ns: how long of a tick its thread stood in line for a processor that other programs
            had; None: not known, as of a trace, or not whose they were.
        others: processors that other programs kept busy; None: not known.
        cores: processors there are; 0: not known.
        felt: they had so many that a step of a trace is longer for it, nobody knows by how much.
    """

    in_line_ns: int | None = None
    others: float | None = None
    cores: int = 0
    felt: bool = False


def of_run(record: Mapping[str, Any]) -> Crowd | None:
    """What is known of a run: the kernel counts how long each thread stands in line.

    Args:
        record: the content of run.json.
    """
    usage = record.get("usage") or {}
    used, ticks = usage.get("loop"), record["loop"]["ticks"]
    cores = (record.get("machine") or {}).get("threads") or 0
    if not used or not ticks or not cores:
        return None
    totals = {reading["name"]: float(reading["value"]) for reading in usage.get("totals") or ()}
    wanted_s = totals.get("cpu", 0.0) + totals.get("threads.delay", 0.0)
    own = wanted_s > _READY * cores * float(record.get("seconds") or 0)
    return Crowd(None if own else round(used["run_delay_ns"] / ticks), cores=cores)


def of_trace(trace: Trace) -> Crowd | None:
    """What `guide profile` noted: how many processors others kept busy, and how many it uses."""
    said = trace.about.get("guide")
    said = said if isinstance(said, Mapping) else {}
    numbers = [said.get(name) for name in ("others", "threads", "cores")]
    if not all(isinstance(n, int | float) and 0 <= n < 1e6 for n in numbers):
        return None
    others, threads, cores = (float(n) for n in numbers if n is not None)
    felt = others >= _OTHERS and others + threads > cores + _OTHERS
    return Crowd(None, others, round(cores), felt)


def remark(crowd: Crowd | None) -> list[Verdict]:
    """What to say of a trace that was taken on a crowded machine; nothing of others."""
    if crowd is None or not crowd.felt:
        return []
    return [
        Verdict(
            "other programs have the processors",
            f"Other programs had {crowd.others:.1f} of {crowd.cores} processors meanwhile: on a "
            "quiet machine a step is shorter, and its parts are other shares of it.",
            remedy="Stop them (top shows which), or measure when they are done.",
            machine=True,
        )
    ]
