"""What one frame costs in visits and bytes, counted, not timed.

    python -m guide_graphics.raster.traffic

counts the scaffold's teapot with and without the ground under it and prints a table. The counts
are exact, the same on every machine; the bytes are what the kernels ask for, caches left aside.
"""

from __future__ import annotations

import sys
from collections.abc import Callable
from dataclasses import dataclass

from guide.timing import Timeline
from guide_graphics.raster.camera import Camera, orbit
from guide_graphics.raster.ladder.coverage import count_visits
from guide_graphics.raster.ladder.renderer import LadderRenderer
from guide_graphics.raster.meshes.shapes import disc
from guide_graphics.raster.meshes.teapot import teapot
from guide_graphics.raster.scene import Material, Scene


@dataclass(frozen=True)
class Traffic:
    """Counts of one frame."""

    pixels: int  # in the picture
    triangles: int  # submitted
    drawn: int  # left after culling, each with an edge test for every pixel of its box
    visited: int  # pixels in the boxes of those
    covered: int  # of these, inside the triangle: each reads the depth buffer
    shaded: int  # pixels in which a triangle is seen in the end

    @property
    def shade_bytes(self) -> int:
        """Bytes that shading moves: three vertices, their clip coordinates, texels, id, colour."""
        return self.shaded * (3 * 32 + 3 * 16 + 4 * 4 + 3 * 4 + 4 + 4)

    @property
    def depth_bytes(self) -> int:
        """Bytes of depth and id that coverage moves: one clear, a read for every covered pixel."""
        return self.pixels * 8 + self.covered * 4


def count(scene: Scene, camera: Camera, size: tuple[int, int]) -> Traffic:
    """Draw a frame and count what the software renderer does for it."""
    renderer = LadderRenderer(size, Timeline(keep=10), threads=1)
    try:
        ids = renderer.render(scene, camera).ids
        records, depths = renderer.records()
        visited, covered = count_visits(records, depths, *size)
        return Traffic(
            pixels=size[0] * size[1],
            triangles=scene.triangle_count,
            drawn=len(records),
            visited=visited,
            covered=covered,
            shaded=int((ids >= 0).sum()),
        )
    finally:
        renderer.close()


def default_scene() -> tuple[Scene, Camera, tuple[int, int]]:
    """The scaffold's teapot on its ground, seen from one side."""
    meshes = [teapot(10_000), disc(6.0, material=1)]
    materials = [Material(double_sided=True), Material()]
    return Scene(meshes, materials), orbit(25, 21, 3.45, (0.0, 0.42, 0.0)), (640, 360)


def table(columns: dict[str, Traffic]) -> str:
    """The counts as lines of text, a column for each named frame."""
    lines = [f"{'':<26}" + "".join(f"{name:>14}" for name in columns)]
    rows: list[tuple[str, Callable[[Traffic], str]]] = [
        ("pixels in the picture", lambda t: f"{t.pixels:,}"),
        ("triangles submitted", lambda t: f"{t.triangles:,}"),
        ("triangles drawn", lambda t: f"{t.drawn:,}"),
        ("pixels visited", lambda t: f"{t.visited:,}"),
        ("pixels covered", lambda t: f"{t.covered:,}"),
        ("pixels shaded", lambda t: f"{t.shaded:,}"),
        ("visits for one hit", lambda t: f"{t.visited / t.covered:.1f}"),
        ("layers", lambda t: f"{t.covered / t.shaded:.2f}"),
        ("MB of depth and id", lambda t: f"{t.depth_bytes / 1e6:.1f}"),
        ("MB of shading", lambda t: f"{t.shade_bytes / 1e6:.1f}"),
    ]
    for label, value in rows:
        lines.append(f"{label:<26}" + "".join(f"{value(t):>14}" for t in columns.values()))
    return "\n".join(lines)


if __name__ == "__main__":
    scene, camera, size = default_scene()
    alone = Scene(scene.meshes[:1], scene.materials)
    counts = {"teapot": count(alone, camera, size), "with ground": count(scene, camera, size)}
    sys.stdout.write(table(counts) + "\n")
