"""What the vision track brings, as data. Importing this imports neither OpenCV nor NumPy."""

from __future__ import annotations

from importlib.util import find_spec
from pathlib import Path

from guide.plugin import Diagnosis, Exercise, Finding, Scaffold, Section, Track, WarmUp, hookimpl
from guide_vision.sections import sections

GUIDE_API = 1

_HERE = Path(__file__).parent
_TRACK = "vision"


@hookimpl
def guide_tracks() -> list[Track]:
    """The vision track."""
    return [
        Track(
            _TRACK,
            "Computer vision",
            "Frames on time: live sources, tracking held against a known truth, exact books.",
        )
    ]


@hookimpl
def guide_sections(track: str) -> list[Section]:
    """Sections for the vision track."""
    if track != _TRACK:
        return []
    return sections(_TRACK)


@hookimpl
def guide_exercises(track: str) -> list[Exercise]:
    """Exercises for the vision track."""
    if track != _TRACK:
        return []
    folder = _HERE / "exercises"
    return [
        Exercise(
            "m1::e2",
            "Same pixels, no new memory",
            folder / "gamma_in_place",
            expected=(_TRACK,),
        ),
        *(Exercise.of(file.parent) for file in sorted(folder.glob("*/exercise.toml"))),
    ]


@hookimpl
def guide_projects(track: str) -> list[Scaffold]:
    """The m6 scaffold, and one that is slow for you to mend."""
    if track != _TRACK:
        return []
    return [
        Scaffold(
            _TRACK,
            "A camera, tracked live",
            "Camera, file, stream or a virtual camera with known motion; points or objects; "
            "latency of every frame.",
            _HERE / "project",
        ),
        Scaffold(
            _TRACK,
            "A camera before marbles, tracked too slowly",
            "Six faults of a hurried week: find each by what it costs, and mend it.",
            _HERE / "slow",
            name="slow",
            over=_HERE / "project",
        ),
    ]


@hookimpl
def guide_warm(track: str) -> list[WarmUp]:
    """The kernel of `background="fused"`, where numba is there to compile it."""
    if track != _TRACK or find_spec("numba") is None:
        return []
    return [WarmUp("fused background", "guide_vision.pipeline.fused:warm")]


@hookimpl
def guide_diagnoses() -> list[Diagnosis]:
    """What explains a pipeline's record."""
    rules = "guide_vision.explain"
    return [
        Diagnosis("limiting stage", f"{rules}:limiting_stage"),
        Diagnosis("OpenCV's threads", f"{rules}:cv_threads"),
        Diagnosis("frames replaced", f"{rules}:frames_replaced"),
        Diagnosis("latency grows", f"{rules}:latency_grows"),
    ]


@hookimpl
def guide_doctor() -> list[Finding]:
    """OpenCV: which one, what it can do, and the cameras of this machine."""
    from guide_vision.doctor import findings

    return findings()
