"""The same scenes with one thread on each side."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.graphics.backends import GOALS, scene
from benchmarks.graphics.scale import Scale
from benchmarks.rows import Row


def rows(scale: Scale) -> Iterator[Row]:
    """Mesa's one thread draws beside the program's own, which hands it the triangles."""
    for name in GOALS:
        yield from scene(name, 1, scale, ["plain"])
