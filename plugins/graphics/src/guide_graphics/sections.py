"""The track's sections in order, and the living figures that they bring: a table, nothing heavy."""

from __future__ import annotations

from pathlib import Path

from guide.plugin import Figure, Section

_HERE = Path(__file__).parent
_CODE = "guide_graphics.figures"
_BARS = "guide.foundations.figures.stopwatch:time_bars"

# name -> (title, what measures it, what draws it)
_FIGURES = {
    "triangle-ladder": ("The pixels of one triangle", "triangles:ladder", _BARS),
    "layers": ("Layers that nobody sees", "triangles:layers", "triangles:draw_layers"),
    "warp-strides": ("What one load of a warp needs", "lockstep:strides", "lockstep:draw_strides"),
    "tile-transpose": (
        "A matrix is turned",
        "lockstep:transposes",
        "lockstep:draw_transposes",
    ),
    "depth-gaps": ("How near is too near", "numbers:depth_gaps", "numbers:draw_depth_gaps"),
    "color-steps": (
        "From one colour to the next",
        "numbers:color_steps",
        "numbers:draw_color_steps",
    ),
    "frame-pacing": ("How long a frame is shown", "frames:pacing", "frames:draw_pacing"),
    "draw-calls": ("A call each, or one call", "frames:draw_calls", "frames:draw_draw_calls"),
    "late-frames": ("A frame, before and after", "late:frames", _BARS),
    "pixel-readback": ("Who is blamed for waiting", "frames:readback", _BARS),
}

# id -> (title, ids it stands on, figures it brings)
_SECTIONS: dict[str, tuple[str, str, str]] = {
    "m1/s3": ("A triangle is memory traffic", "", ""),
    "m1/s13": ("What nobody sees", "m1/s3", "layers"),
    "m2/s13": ("From a loop to five thousand times", "m1/s3 m2/s1", "triangle-ladder"),
    "m2/s14": ("Thirty-two at once", "m1/s5 m2/s1", "warp-strides"),
    "m2/s15": ("A shelf for the whole group", "m2/s14", "tile-transpose"),
    "m3/s13": ("Where the depth goes", "m3/s1", "depth-gaps"),
    "m3/s14": ("Colour is not a number", "m3/s1", "color-steps"),
    "m4/s13": ("Sixty, and still it stutters", "m4/s2", "frame-pacing"),
    "m4/s14": ("What it costs to say draw", "m4/s5", "draw-calls"),
    "m5/s13": ("Why reading a picture waits", "m1/s21", "pixel-readback"),
    "m5/s14": ("Where a frame's time goes", "m1/s3 m5/s2", "late-frames"),
}


def sections() -> list[Section]:
    """All of them."""
    return [
        Section(
            id,
            title,
            _HERE / "modules" / f"{id}.md",
            ("graphics",),
            stands_on=tuple(stands_on.split()),
            figures=tuple(_figure(name) for name in names.split()),
        )
        for id, (title, stands_on, names) in _SECTIONS.items()
    ]


def _figure(name: str) -> Figure:
    title, measure, draw = _FIGURES[name]
    example = _HERE / "figures" / "examples" / f"{name}.json"
    draw = draw if draw == _BARS else f"{_CODE}.{draw}"
    return Figure(name, title, f"{_CODE}.{measure}", draw, example)
