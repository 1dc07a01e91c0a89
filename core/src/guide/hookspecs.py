"""The hooks. They carry data: a 60 Hz loop never passes through one.

A plugin implements those it needs (`guide.plugin` has the marker and the classes) and is found
by its entry point in the group `guide`.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from typing import Any

import pluggy

from guide.plugin import (
    Diagnosis,
    Exercise,
    Finding,
    MeterSpec,
    Profiler,
    Scaffold,
    Section,
    Track,
    WarmUp,
)

hookspec = pluggy.HookspecMarker("guide")


@hookspec
def guide_tracks() -> Sequence[Track]:  # type: ignore[empty-body]
    """The tracks this plugin brings."""


@hookspec
def guide_sections(track: str) -> Sequence[Section]:  # type: ignore[empty-body]
    """Sections for `track`; the common ones when `track` is empty."""


@hookspec
def guide_exercises(track: str) -> Sequence[Exercise]:  # type: ignore[empty-body]
    """Exercises that `track` is expected or invited to do; the common ones when it is empty."""


@hookspec
def guide_projects(track: str) -> Sequence[Scaffold]:  # type: ignore[empty-body]
    """Scaffolds of m6 projects for `track`, the one to take by default first."""


@hookspec
def guide_meters() -> Sequence[MeterSpec]:  # type: ignore[empty-body]
    """Meters to read during a run, beside those of core."""


@hookspec
def guide_doctor() -> Sequence[Finding]:  # type: ignore[empty-body]
    """What this machine has and lacks, as lines for `guide doctor`. May import what it looks at."""


@hookspec
def guide_warm(track: str) -> Sequence[WarmUp]:  # type: ignore[empty-body]
    """What makes the first start in `track` quick, done ahead and kept on disk."""


@hookspec
def guide_diagnoses() -> Sequence[Diagnosis]:  # type: ignore[empty-body]
    """Rules that explain a run or a trace; what they say of a run stands in its report."""


@hookspec
def guide_profilers() -> Sequence[Profiler]:  # type: ignore[empty-body]
    """What takes the traces that `guide profile` explains, beside the timeline of every run."""


@hookspec
def guide_run_finished(report: Mapping[str, Any]) -> None:
    """Called once with the content of run.json after a run's record was written."""
