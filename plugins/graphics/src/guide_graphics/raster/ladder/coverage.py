"""Coverage and visibility: which triangle is seen in which pixel, and how deep.

A pixel belongs to a triangle when its centre lies to the left of all three edges. A centre
exactly on an edge belongs to the triangle for which that edge is a left or a top one, so that
two neighbours never both take it and never both leave it.
"""

from __future__ import annotations

import numpy as np

from guide_graphics.raster.kernel import Int, kernel, kernel_part
from guide_graphics.raster.scene import F32, I32

FAR = (1 << 24) - 1  # depth is kept as a 24-bit integer, as OpenGL keeps it


@kernel_part
def bias(dx: Int, dy: Int) -> Int:
    """0 for a left or a top edge, -1 for the others: added to an edge function, >= 0 decides.

    "Top" is towards row 0 in memory. That is the bottom of the picture here, as it is in an
    OpenGL framebuffer object.
    """
    return 0 if dy < 0 or (dy == 0 and dx > 0) else -1


@kernel
def draw_band(
    records: I32,
    depths: F32,
    items: I32,
    first: Int,
    last: Int,
    row0: Int,
    row1: Int,
    depth: I32,
    ids: I32,
) -> None:
    """Draw the listed records into the rows row0 to row1 - 1 of `depth` and `ids`.

    The nearest triangle wins; of equally near ones, the first.
    """
    depth[row0:row1] = FAR
    ids[row0:row1] = -1
    for item in range(first, last):
        draw(records[items[item]], depths[items[item]], row0, row1, depth, ids)


@kernel
def draw(record: I32, z: F32, row0: Int, row1: Int, depth: I32, ids: I32) -> None:
    """Draw one triangle by its bounding box and three edge functions.

    The edge function of a point is twice the area of the triangle it makes with the edge:
    positive to the left of it. It is linear, so one step to the right or up is one addition.
    """
    x0: Int = np.int64(record[0])
    y0: Int = np.int64(record[1])
    x1: Int = np.int64(record[2])
    y1: Int = np.int64(record[3])
    x2: Int = np.int64(record[4])
    y2: Int = np.int64(record[5])
    number = record[6]
    left = max((min(x0, x1, x2) + 255) >> 8, 0)
    right = min(max(x0, x1, x2) >> 8, ids.shape[1] - 1)
    bottom = max((min(y0, y1, y2) + 255) >> 8, row0)
    top = min(max(y0, y1, y2) >> 8, row1 - 1)

    # Edge k lies opposite of vertex k; a pixel is 256 steps of the snapped grid
    dx0, dy0, dx1, dy1, dx2, dy2 = x2 - x1, y2 - y1, x0 - x2, y0 - y2, x1 - x0, y1 - y0
    px, py = left * 256, bottom * 256
    e0 = dx0 * (py - y1) - dy0 * (px - x1) + bias(dx0, dy0)
    e1 = dx1 * (py - y2) - dy1 * (px - x2) + bias(dx1, dy1)
    e2 = dx2 * (py - y0) - dy2 * (px - x0) + bias(dx2, dy2)

    # Depth is linear over the picture
    area = np.float64(dx2 * -dy1 + dy2 * dx1)
    slope1, slope2 = (z[1] - z[0]) / area, (z[2] - z[0]) / area
    dzdx = 256 * (slope1 * -dy1 + slope2 * -dy2) * FAR
    dzdy = 256 * (slope1 * dx1 + slope2 * dx2) * FAR
    z_row = (z[0] + (px - x0) / 256 * (dzdx / FAR) + (py - y0) / 256 * (dzdy / FAR)) * FAR + 0.5

    for row in range(bottom, top + 1):
        for column in range(left, right + 1):
            step = np.int64(column - left) * 256
            if (e0 - dy0 * step) | (e1 - dy1 * step) | (e2 - dy2 * step) >= 0:
                deep = np.int32(z_row + (column - left) * dzdx)
                if deep < depth[row, column]:
                    depth[row, column] = deep
                    ids[row, column] = number
        e0 += dx0 * 256
        e1 += dx1 * 256
        e2 += dx2 * 256
        z_row += dzdy


@kernel
def count_visits(records: I32, depths: F32, width: Int, height: Int) -> tuple[Int, Int]:
    """Pixels in the boxes of all records, and pixels inside the triangles."""
    depth = np.full((height, width), FAR, np.int32)
    ids = np.full((height, width), -1, np.int32)
    visited = covered = 0
    for i in range(len(records)):
        record = records[i]
        left = max((min(record[0], record[2], record[4]) + 255) >> 8, 0)
        right = min(max(record[0], record[2], record[4]) >> 8, width - 1)
        bottom = max((min(record[1], record[3], record[5]) + 255) >> 8, 0)
        top = min(max(record[1], record[3], record[5]) >> 8, height - 1)
        visited += max(right - left + 1, 0) * max(top - bottom + 1, 0)
        draw(record, depths[i], 0, height, depth, ids)  # onto a clean sheet: all that it covers
        for row in range(bottom, top + 1):
            for column in range(left, right + 1):
                if ids[row, column] >= 0:
                    covered += 1
                    ids[row, column] = -1
                    depth[row, column] = FAR
    return visited, covered
