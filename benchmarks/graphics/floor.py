"""What a frame of scene a needs at least, counted; and where the figures stand above that."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.graphics.scale import Scale
from benchmarks.graphics.scenes import View, arrays, view
from benchmarks.rows import Row
from guide_graphics.raster.traffic import Traffic, count

# Of a shaded pixel, counted in the shading model: plane equations for eight attributes and 1/w (18
# operations), bilinear filtering of three channels (40), three unit vectors (24), two dot products
# (10), a power (20), albedo, highlight and rounding (20)
FLOP_PER_PIXEL = 130


def rows(scale: Scale) -> Iterator[Row]:
    """Counts are the same on every machine; they are of frame 0."""
    shown = view("a", detail=scale.detail)
    counted = count(shown.scene, shown.camera(0), scale.size)
    for figure, text in (
        (
            f"scene a, counted: {shown.about}",
            f"{counted.drawn:,} drawn, {counted.covered:,} pixels covered, "
            f"{counted.shaded:,} shaded ({counted.shaded / counted.pixels:.0%})",
        ),
        ("scene a, counted: shading", f"{counted.shaded * FLOP_PER_PIXEL / 1e6:.0f} MFLOP"),
        ("scene a, counted: bytes touched once", _bytes(shown, counted)),
    ):
        yield Row(figure, text, "-", None, "-", None)


def _bytes(shown: View, counted: Traffic) -> str:
    mesh, texture = arrays(shown)
    geometry = sum(x.nbytes for x in (mesh.positions, mesh.normals, mesh.uv, mesh.triangles))
    # Three bytes of each texel: a pixel asks for four of them, and no texture has more than all
    texels = min(texture.nbytes, counted.shaded * 4 * 3)
    parts = {"frame": counted.pixels * 4, "texture": texels, "mesh": geometry}
    shares = ", ".join(f"{name} {size / 1e6:.1f}" for name, size in parts.items())
    return f"{sum(parts.values()) / 1e6:.1f} MB ({shares})"
