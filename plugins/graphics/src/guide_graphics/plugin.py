"""The graphics track, as the hooks see it: data only."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from guide.plugin import GUIDE_API as GUIDE_API
from guide.plugin import Diagnosis, Exercise, Finding, Scaffold, Section, Track, WarmUp, hookimpl
from guide_graphics.sections import sections

_HERE = Path(__file__).parent


@hookimpl
def guide_tracks() -> Sequence[Track]:
    """The graphics track."""
    return [Track("graphics", "Graphics", "Triangles, pixels and frames that arrive on time.")]


@hookimpl
def guide_sections(track: str) -> Sequence[Section]:
    """What to read in this track."""
    if track != "graphics":
        return []
    return sections()


@hookimpl
def guide_exercises(track: str) -> Sequence[Exercise]:
    """What to do in this track."""
    if track != "graphics":
        return []
    return [
        Exercise(
            "m1::e3",
            "Boxes and the top-left rule",
            _HERE / "exercises" / "bounding_box",
            expected=("graphics",),
        ),
        *(Exercise.of(file.parent) for file in sorted(_HERE.glob("exercises/*/exercise.toml"))),
    ]


@hookimpl
def guide_projects(track: str) -> Sequence[Scaffold]:
    """The teapot, and one that is slow for you to mend."""
    if track != "graphics":
        return []
    return [
        Scaffold(
            "graphics",
            "A turning teapot at 60 Hz",
            "Lit, textured, drawn on the CPU or through OpenGL, in a window or headless.",
            _HERE / "project",
        ),
        Scaffold(
            "graphics",
            "A turning teapot that misses its deadlines",
            "Six faults of a hurried week: find each by what it costs, and mend it.",
            _HERE / "slow",
            name="slow",
            over=_HERE / "project",
        ),
    ]


@hookimpl
def guide_warm(track: str) -> Sequence[WarmUp]:
    """The kernels of the software renderer."""
    if track != "graphics":
        return []
    return [WarmUp("software renderer", "guide_graphics.raster.software.warm:keep")]


@hookimpl
def guide_diagnoses() -> Sequence[Diagnosis]:
    """What explains the record of a renderer."""
    rules = "guide_graphics.explain"
    return [
        Diagnosis("waiting for the device", f"{rules}:device_waits"),
        Diagnosis("draw calls", f"{rules}:draw_calls"),
        Diagnosis("triangles", f"{rules}:fine_mesh"),
        Diagnosis("limiting stage", f"{rules}:limiting_stage", noted=False),
        Diagnosis("idle threads", f"{rules}:idle_threads", noted=False),
    ]


@hookimpl
def guide_doctor() -> Sequence[Finding]:
    """OpenGL, display and threads."""
    from guide_graphics.doctor import findings

    return findings()
