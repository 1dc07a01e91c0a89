"""Vertices: from a mesh's own space to clip space."""

from __future__ import annotations

from guide_graphics.raster.kernel import Int, kernel
from guide_graphics.raster.scene import F32


@kernel
def transform(vertices: F32, first: Int, last: Int, matrix: F32, clip: F32) -> None:
    """Write `matrix @ (x, y, z, 1)` of the vertices first to last - 1 to `clip` (n, 4)."""
    for i in range(first, last):
        x, y, z = vertices[i, 0], vertices[i, 1], vertices[i, 2]
        for row in range(4):
            # In OpenGL's order of additions, so that both round alike
            clip[i, row] = (
                matrix[row, 0] * x + matrix[row, 1] * y + matrix[row, 2] * z + matrix[row, 3]
            )
