"""Loops with a planted fault against their clean twins, in processes of their own.

A fault counts as named when its verdict comes first of all that speak of the program; of the
machine ("other programs have the processors") they may speak in either. What was predicted on the
planted run is held against what the twin is quicker, in interleaved pairs. Time that the loop stood
in line for a processor is taken off both, except where that is the fault: on a machine that others
use it is larger than most faults.
"""

from __future__ import annotations

import statistics
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Any

from benchmarks.apart import run as apart
from benchmarks.rows import Row
from guide.plugin import Verdict
from guide.plugins import Plugins, verdicts
from guide.units import duration

_MACHINES = "other programs have the processors"
_WORTH = 0.02
"""The share of a tick from which a verdict asks to be mended."""


@dataclass(frozen=True, slots=True)
class Case:
    """A fault, and what is to be said of it.

    Attributes:
        task: its name in the module.
        title: of the verdict.
        module: that runs it.
        gain: how the prediction is compared: "both" ways, "least" (it promises at least that), or
            not at all, for what costs no time.
        waits: the fault is standing in line itself.
        seconds: a run takes.
    """

    task: str
    title: str
    module: str = "loop_tasks"
    gain: str = "both"
    waits: bool = False
    seconds: float = 4.0


_PIPELINES = "loop_pipelines"
CASES = (
    Case("slow stage", "over budget", gain="least"),
    Case("slow now and then", "over budget now and then"),
    Case("sleep in a stage", "waiting, not computing"),
    Case("lock, at a rate", "late wake", waits=True),
    Case("lock, free", "waiting for the interpreter's lock"),
    Case("garbage", "garbage collection"),
    Case("new pages", "new memory in every tick"),
    Case("leak", "memory grows", gain="", seconds=8),
    Case("crowded", "more threads than processors", waits=True),
    Case("disk", "pages from disk"),
    Case("one stage limits", "one stage limits the pipeline", _PIPELINES),
    Case("OpenCV's threads", "OpenCV's threads fight with the pipeline's", _PIPELINES, "", True),
    Case("frames are lost", "frames are lost", _PIPELINES),
    Case("latency grows", "latency grows", _PIPELINES),
    Case("triangles", "triangles smaller than pixels", "loop_frames"),
    Case("draw calls", "too many draw calls", "loop_frames"),
)


def rows(quick: bool) -> Iterator[Row]:
    """A row for each fault, and one for all twins."""
    plugins = Plugins()
    alarms: list[str] = []
    pairs = 1 if quick else 5
    for case in CASES:
        yield _row(case, pairs, plugins, alarms)
    said = "; ".join(alarms) or "none"
    goal = "none"
    yield Row(
        f"false alarms on {len(CASES) * pairs} clean twins", said, "-", None, goal, not alarms
    )


def _row(case: Case, pairs: int, plugins: Plugins, alarms: list[str]) -> Row:
    named, predicted, measured = 0, [], []
    for i in range(pairs):
        order = (True, False) if i % 2 else (False, True)
        records = {planted: _run(case, planted) for planted in order}
        found = ranked(plugins, records[True])
        first = found if case.title.startswith("OpenCV") else found[:1]  # core counts them as well
        named += case.title in [verdict.title for verdict in first]
        gain_ns = _took(records[True], case) - _took(records[False], case)
        mine = next((v for v in found if v.title == case.title), None)
        if mine is not None:
            predicted.append(float(mine.recoverable_ns))
            measured.append(gain_ns)
        for verdict in ranked(plugins, records[False]):
            alarms.append(f"{case.task}: {verdict.title}")
    ours = f"{named} of {pairs} named"
    ok = named == pairs
    if not case.gain or not measured:
        return Row(case.task, ours, "-", None, "all named", ok)
    ratios = sorted(
        p / m if m > 0 else float("inf") for p, m in zip(predicted, measured, strict=True)
    )
    ratio = statistics.median(ratios)
    low = 0.0 if case.gain == "least" else 0.75
    goal = "named; at most 1.25" if case.gain == "least" else "named; 0.75 to 1.25"
    told = f"{ours}, predicted {duration(statistics.median(predicted))} a tick"
    gained = f"measured {duration(statistics.median(measured))}"
    spread = f"{ratios[0]:.2f} to {ratios[-1]:.2f}"
    return Row(case.task, told, gained, ratio, goal, ok and low <= ratio <= 1.25, spread)


def ranked(plugins: Plugins, record: Mapping[str, Any]) -> list[Verdict]:
    """Verdicts on the program that ask to be mended, what gives back most first."""
    found = [
        verdict
        for verdict in verdicts(plugins, "run", record)
        if verdict.title != _MACHINES
        if verdict.pressing or verdict.recoverable_ns > _WORTH * record["tick_time"]["mean_ns"]
    ]
    return sorted(found, key=lambda verdict: -verdict.recoverable_ns)


def _run(case: Case, planted: bool) -> Any:
    where = f"explain.{case.module}:run"
    return apart(where, name=case.task, planted=planted, seconds=case.seconds)


def _took(record: Mapping[str, Any], case: Case) -> float:
    """What a tick takes, from when it was due until it was done; of a pipeline, its period."""
    ticks = record["ticks"]
    count = record["loop"]["ticks"]
    if case.task in ("one stage limits", "frames are lost"):
        return float(record["seconds"]) * 1e9 / count
    took = [end - due for due, end in zip(ticks["due_ns"], ticks["end_ns"], strict=True)]
    in_line_ns = 0.0 if case.waits else record["usage"]["loop"]["run_delay_ns"] / count
    return sum(took) / len(took) - in_line_ns
