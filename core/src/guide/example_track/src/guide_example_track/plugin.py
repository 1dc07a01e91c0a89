"""What this track brings to guide, as data.

Every command of guide imports this module, so it imports nothing heavy: name heavy things as
"package.module:attribute", or import them inside the function that needs them.
"""

from __future__ import annotations

from pathlib import Path

from guide.plugin import Exercise, Finding, Scaffold, Section, Track, hookimpl

GUIDE_API = 1

_HERE = Path(__file__).parent
_TRACK = "example-track"


@hookimpl
def guide_tracks() -> list[Track]:
    """The track itself. Replace: title and summary, as `guide tracks` shows them."""
    return [Track(_TRACK, "Example Track", "Blocks of samples, on time and right.")]


@hookimpl
def guide_sections(track: str) -> list[Section]:
    """What to read. Replace: titles and files; take ids that `guide contents` does not list."""
    if track != _TRACK:
        return []
    file = _HERE / "modules" / "m1" / "s9.md"
    return [Section("m1/s9", "A block is a deadline", file, (_TRACK,))]


@hookimpl
def guide_exercises(track: str) -> list[Exercise]:
    """What to do. Replace: titles and folders; take ids that `guide exercises` does not list."""
    if track != _TRACK:
        return []
    folder = _HERE / "exercises" / "joined_blocks"
    return [Exercise("m1::e9", "Blocks that join", folder, expected=(_TRACK,))]


@hookimpl
def guide_projects(track: str) -> list[Scaffold]:
    """What to build. Replace: the sentences, once the project is yours.

    For `guide new-project --template NAME`, return a second one: `Scaffold(..., name="NAME",
    folder=_HERE / "NAME", over=_HERE / "project")` with only the files that differ in its folder.
    """
    if track != _TRACK:
        return []
    return [
        Scaffold(
            _TRACK,
            "A live spectrogram",
            "47 blocks of sound a second: level, strongest frequency and its error, a picture.",
            _HERE / "project",
        )
    ]


@hookimpl
def guide_doctor() -> list[Finding]:
    """What this machine has. Replace: look at the devices and libraries that your track needs."""
    import numpy as np

    return [Finding("numpy", "ok", np.__version__)]
