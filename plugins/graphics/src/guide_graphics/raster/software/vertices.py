"""Vertices: into the window, eight at once, each as a record of 16 bytes."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from guide_graphics.raster.kernel import Int, Real, kernel, kernel_part
from guide_graphics.raster.scene import F32, I32
from guide_graphics.raster.software.simd import (
    LANES,
    f32x8,
    load,
    pointer,
    select,
    store_records,
    take,
)

# What stands for x in the record of a vertex that lies outside of a clipping plane: its triangles
# are clipped. No coordinate is so small.
OUTSIDE = np.float32(-1e30)


@kernel
def transform(
    counter: npt.NDArray[np.int64],
    chunks: I32,
    matrices: F32,
    positions: F32,
    width: Int,
    height: Int,
    gx: Real,
    gy: Real,
    records: F32,
) -> None:
    """Write the records of all vertices: x and y in 1/256 pixel, depth 0 to 1, 1/w.

    x and y are snapped to whole numbers wherever coverage is decided, and not where attributes are
    interpolated, as OpenGL does it.

    Args:
        counter: (1,) the next chunk; several threads share it.
        chunks: (k, 3): mesh, first vertex, the one behind the last.
        matrices: (meshes, 4, 4), from each mesh's space to clip space.
        positions: (3, n).
        width: of the picture in pixels.
        height: likewise.
        gx: how many times w the x of a vertex may be before it is clipped.
        gy: likewise for y.
        records: (n, 4).
    """
    counters, jobs, jobs_count = pointer(counter), pointer(chunks), len(chunks)
    count = positions.shape[1]
    xs, out = pointer(positions), pointer(records)
    table = pointer(matrices)
    one, half, sub = f32x8(1), f32x8(0.5), f32x8(256)
    half_width, half_height = f32x8(np.float32(0.5) * width), f32x8(np.float32(0.5) * height)
    outside = f32x8(OUTSIDE)
    wide, high = f32x8(gx), f32x8(gy)
    while True:
        number = take(counters, 0, 1)
        if number >= jobs_count:
            return
        m = 16 * jobs[3 * number]
        for at in range(jobs[3 * number + 1], jobs[3 * number + 2], LANES):
            x, y, z = load(xs, at), load(xs, count + at), load(xs, 2 * count + at)
            cx = _row(table, m + 0, x, y, z)
            cy = _row(table, m + 4, x, y, z)
            cz = _row(table, m + 8, x, y, z)
            cw = _row(table, m + 12, x, y, z)
            # Written so that NaN is outside
            inside = (cz >= -cw) & (cz <= cw) & (cx >= -wide * cw) & (cx <= wide * cw)
            inside = inside & (cy >= -high * cw) & (cy <= high * cw) & (cw > f32x8(0))
            inverse = one / cw
            wx = cx * inverse * half_width + half_width
            wy = cy * inverse * half_height + half_height
            # Pixel (i, j) is sampled at its centre; shifted by 1/2 that is 256 * (i, j)
            sx, sy = (wx - half) * sub, (wy - half) * sub
            depth = cz * inverse * half + half
            store_records(out, 4 * at, select(inside, sx, outside), sy, depth, inverse)


@kernel_part
def _row(table: Any, m: Int, x: Any, y: Any, z: Any) -> Any:
    # In OpenGL's order of additions, so that both round alike
    return (
        f32x8(table[m]) * x
        + f32x8(table[m + 1]) * y
        + f32x8(table[m + 2]) * z
        + f32x8(table[m + 3])
    )


@kernel_part
def snapped(coordinate: Real) -> Int:
    """A coordinate of a record as coverage takes it."""
    return np.int64(np.rint(coordinate))
