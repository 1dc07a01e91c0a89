"""Core's own plugin: common sections and exercises, and what any machine has or lacks."""

from __future__ import annotations

import shutil
import sys
from collections.abc import Sequence
from pathlib import Path

from guide.foundations.sections import sections
from guide.plugin import GUIDE_API as _SPOKEN
from guide.plugin import Diagnosis, Exercise, Finding, Section, hookimpl

GUIDE_API = _SPOKEN  # it is released with the hooks it speaks

_HERE = Path(__file__).parent


@hookimpl
def guide_sections(track: str) -> Sequence[Section]:
    """The common sections."""
    if track:
        return []
    return sections()


@hookimpl
def guide_exercises(track: str) -> Sequence[Exercise]:
    """The common exercises, expected of every track."""
    if track:
        return []
    return [Exercise.of(file.parent) for file in sorted(_HERE.glob("exercises/*/exercise.toml"))]


@hookimpl
def guide_diagnoses() -> Sequence[Diagnosis]:
    """What explains the run of any loop."""
    rules = "guide.foundations.rules"
    return [
        # The report has a table of the misses and their causes, with what to do
        Diagnosis("over budget", f"{rules}.deadlines:over_budget", noted=False),
        Diagnosis("late wake", f"{rules}.deadlines:late_wake", noted=False),
        Diagnosis("late garbage", f"{rules}.pauses:late_garbage", noted=False),
        # And it holds every span against its ceiling
        Diagnosis("ceiling", f"{rules}.ceilings:far_below_ceiling", noted=False),
        Diagnosis("slow now and then", f"{rules}.ceilings:uneven"),
        Diagnosis("waiting", f"{rules}.processors:waiting"),
        Diagnosis("crowded", f"{rules}.processors:crowded"),
        Diagnosis("garbage", f"{rules}.pauses:garbage"),
        Diagnosis("pages from disk", f"{rules}.pauses:pages_from_disk"),
        Diagnosis("new pages", f"{rules}.pauses:new_pages"),
        Diagnosis("a loop in Python", f"{rules}.lines:loop_in_python"),
        Diagnosis("the same twice", f"{rules}.lines:done_twice"),
        Diagnosis("one call", f"{rules}.lines:one_call"),
        Diagnosis("outside of spans", f"{rules}.outside:outside_spans", noted=False),
        Diagnosis("memory growth", f"{rules}.growth:memory_growth"),
    ]


@hookimpl
def guide_doctor() -> Sequence[Finding]:
    """Python, the processor, memory, where energy figures come from, disk."""
    from guide.machine import machine_facts
    from guide.units import size

    facts = machine_facts()
    findings = [
        Finding("python", "ok", f"{facts['python']}, {sys.prefix}"),
        Finding("processor", "ok", f"{facts['processor']}, {facts['threads']} threads usable"),
    ]
    if "memory_bytes" in facts:
        findings.append(Finding("memory", "ok", size(float(facts["memory_bytes"]))))
    findings += _energy()
    free = shutil.disk_usage(Path.cwd()).free
    if free < 500_000_000:
        remedy = "a run's record takes megabytes: free some space"
        findings.append(Finding("disk", "problem", f"{size(free)} free here", remedy))
    else:
        findings.append(Finding("disk", "ok", f"{size(free)} free here"))
    return findings


def _energy() -> list[Finding]:
    from guide.energy import NvmlMeter, RaplMeter
    from guide.resources import Unavailable

    findings = []
    try:
        RaplMeter()
        findings.append(Finding("CPU energy", "ok", "measured by RAPL"))
    except Unavailable as why:
        detail = f"{why.message}; a model gives a range instead, and says so"
        findings.append(Finding("CPU energy", "note", detail, why.remedy))
    try:
        NvmlMeter()
        findings.append(Finding("GPU energy", "ok", "measured by NVML"))
    except Unavailable as why:
        findings.append(Finding("GPU energy", "note", f"{why.message}; nothing here needs one"))
    return findings
