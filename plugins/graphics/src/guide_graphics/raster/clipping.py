"""Clipping: what reaches past the view's planes is cut before it is divided by w.

A vertex behind the eye has w < 0, and dividing by it would turn the picture inside out. So a
triangle that crosses a plane is cut to a polygon (Sutherland and Hodgman, CACM 17(1), 1974) and
the polygon fanned into triangles. Left, right, bottom and top are not cut at the picture's edge,
where the bounding box does it for nothing, but far outside: close enough that 1/256 pixel fits
32 bits, far enough that hardly a triangle reaches there.
"""

from __future__ import annotations

import numpy as np

from guide_graphics.raster.kernel import Int, Real, kernel_part, kernel_step
from guide_graphics.raster.scene import F32

PLANES = 6
MAX_CORNERS = 3 + PLANES  # each plane adds one corner at most
GUARD_PIXELS = 16384.0


@kernel_part
def distance(plane: Int, x: Real, y: Real, z: Real, w: Real, gx: Real, gy: Real) -> Real:
    """How far inside a plane a point of clip space lies; negative outside."""
    if plane == 0:
        return z + w  # near
    if plane == 1:
        return w - z  # far
    if plane == 2:
        return gx * w + x
    if plane == 3:
        return gx * w - x
    if plane == 4:
        return gy * w + y
    return gy * w - y


@kernel_part
def outcode(clip: F32, vertex: Int, gx: Real, gy: Real) -> Int:
    """The planes a vertex lies outside of, one bit each."""
    code = 0
    for plane in range(PLANES):
        inside = distance(
            plane,
            clip[vertex, 0],
            clip[vertex, 1],
            clip[vertex, 2],
            clip[vertex, 3],
            gx,
            gy,
        )
        if inside < 0:
            code |= 1 << plane
    return code


@kernel_step
def cut(polygon: F32, spare: F32, corners: Int, plane: Int, gx: Real, gy: Real) -> Int:
    """Cut `polygon` (MAX_CORNERS, 4 or more) at one plane, in place; returns how many are left.

    Its first four columns are the clip coordinates; those behind them are cut along.
    """
    kept = 0
    for i in range(corners):
        j = i + 1 if i + 1 < corners else 0
        a = distance(plane, polygon[i, 0], polygon[i, 1], polygon[i, 2], polygon[i, 3], gx, gy)
        b = distance(plane, polygon[j, 0], polygon[j, 1], polygon[j, 2], polygon[j, 3], gx, gy)
        if a >= 0:
            for k in range(polygon.shape[1]):
                spare[kept, k] = polygon[i, k]
            kept += 1
        if (a >= 0) != (b >= 0):
            # From the inner corner outward, so that two triangles cut their common edge alike
            if a >= 0:
                share, inner, outer = a / (a - b), i, j
            else:
                share, inner, outer = b / (b - a), j, i
            for k in range(polygon.shape[1]):
                spare[kept, k] = polygon[inner, k] + np.float32(share) * (
                    polygon[outer, k] - polygon[inner, k]
                )
            kept += 1
    for i in range(kept):  # whole rows at once would have numba compile how it raises an error
        for k in range(polygon.shape[1]):
            polygon[i, k] = spare[i, k]
    return kept
