"""The sections of this track in order, and the figures they bring: a table, nothing heavy."""

from __future__ import annotations

from pathlib import Path

from guide.plugin import Figure, Section

_HERE = Path(__file__).parent
_CODE = "guide_vision.figures"
_BARS = "guide.foundations.figures.stopwatch:time_bars"

# name -> (title, what measures it, what draws it)
_FIGURES = {
    "frame-cost": ("One frame on its way", "frames:frame_cost", _BARS),
    "one-pass": ("Four passes, or one", "frames:one_pass", _BARS),
    "cv-threads": ("OpenCV's threads and yours", "cores:threads_beside", _BARS),
    "frame-age": ("How old a frame gets", "flow:frame_age", f"{_CODE}.draw:ages"),
    "clock-drift": ("How far picture and sound go apart", "flow:drift", f"{_CODE}.draw:drift"),
    "tracking-worth": ("The price of looking less often", "tracks:worth", f"{_CODE}.draw:worth"),
    "fifth-camera": ("A frame, before and after", "hurried:fifth_camera", _BARS),
    "always-on": ("A day of one camera", "cores:always_on", f"{_CODE}.draw:energy"),
}

# id -> (title, ids it stands on, figures it brings)
_SECTIONS = {
    "m1/s2": ("A frame is memory", "", ""),
    "m1/s16": ("What a frame costs", "m1/s2", "frame-cost"),
    "m1/s17": ("Four passes, or one", "m1/s16", "one-pass"),
    "m2/s16": ("Who owns the cores?", "m2/s2 m1/s16", "cv-threads"),
    "m4/s16": ("How old is this picture?", "m2/s4", "frame-age"),
    "m4/s17": ("The camera that says nothing", "m4/s16", ""),
    "m4/s18": ("Film time, and the time on the wall", "m4/s2", "clock-drift"),
    "m5/s16": ("Is it still the same one?", "m4/s16", "tracking-worth"),
    "m5/s17": ("A camera that never sleeps", "m3/s4", "always-on"),
    "m5/s18": ("Room for a fifth camera", "m1/s16 m5/s2", "fifth-camera"),
}


def sections(track: str) -> list[Section]:
    """All of them, for `track`, which is this one."""
    return [
        Section(
            id,
            title,
            _HERE / "modules" / f"{id}.md",
            (track,),
            stands_on=tuple(stands_on.split()),
            figures=tuple(_figure(name) for name in names.split()),
        )
        for id, (title, stands_on, names) in _SECTIONS.items()
    ]


def _figure(name: str) -> Figure:
    title, measure, draw = _FIGURES[name]
    example = _HERE / "figures" / "examples" / f"{name}.json"
    return Figure(name, title, f"{_CODE}.{measure}", draw, example)
