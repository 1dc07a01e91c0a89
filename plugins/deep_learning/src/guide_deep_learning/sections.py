"""This track's sections in order, and the living figures that they bring: nothing heavy."""

from __future__ import annotations

from pathlib import Path

from guide.plugin import Figure, Section

_HERE = Path(__file__).parent
_CODE = "guide_deep_learning.figures"
_BARS = "guide.foundations.figures.stopwatch:time_bars"

# name -> (title, what measures it, what draws it)
_FIGURES = {
    "feeding-batches": ("A batch, by samples and at once", "feeding:batches", _BARS),
    "feeding-stalls": ("Who waits for whom", "feeding:stalls", f"{_CODE}.feeding:draw_stalls"),
    "spinning-threads": ("A step, and a neighbour", "spinning:neighbour", _BARS),
    "stalled-weight": (
        "A weight that learns by thousandths",
        "precision:stalled",
        f"{_CODE}.precision:draw_stalled",
    ),
    "narrow-products": ("The same product in fewer bits", "precision:products", _BARS),
    "save-parts": ("What saving takes", "saving:parts", _BARS),
    "recipe-steps": ("One size, four recipes", "recipes:climbs", f"{_CODE}.recipes:draw_climbs"),
    "link-speed": ("A step of two machines", "network:links", f"{_CODE}.network:draw_links"),
    "hurried-week": ("A step, before and after", "hurried:week", _BARS),
    "kept-keys": ("The next byte", "serving:kept_keys", f"{_CODE}.serving:draw_kept_keys"),
    "shared-weights": (
        "One matrix for how many",
        "serving:shared_weights",
        f"{_CODE}.serving:draw_shared_weights",
    ),
}

# id -> (title, ids it stands on, figures it brings)
_SECTIONS: dict[str, tuple[str, str, str]] = {
    "m1/s1": ("A training step is a real-time tick", "", ""),
    "m1/s11": ("Feeding the step", "m1/s1", "feeding-batches feeding-stalls"),
    "m2/s11": ("Threads that spin", "m1/s1 m2/s2", "spinning-threads"),
    "m2/s21": ("Several machines", "m1/s1 m2/s11", "link-speed"),
    "m3/s11": ("Sixteen bits, and which", "m1/s1 m3/s1", "stalled-weight narrow-products"),
    "m3/s21": ("Small enough to answer", "m1/s1 m3/s3", "shared-weights kept-keys"),
    "m4/s11": ("Killed at step 40,000", "m1/s1 m1/s11", "save-parts"),
    "m5/s11": ("Fewer steps", "m1/s1 m5/s0", "recipe-steps"),
    "m5/s12": ("One fault at a time", "m1/s1 m5/s2", "hurried-week"),
}


def sections(track: str) -> list[Section]:
    """All of them, for `track`."""
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
