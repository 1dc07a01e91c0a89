"""Triangle set-up: clip, project, snap, cull; then sort the survivors into bands of rows.

Coordinates are snapped to 1/256 pixel before anything is decided. From there on all of coverage
is integer arithmetic: exact, and so the same on every machine and for every number of threads.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from guide_graphics.raster.clipping import MAX_CORNERS, PLANES, cut, outcode
from guide_graphics.raster.kernel import Flag, Int, Real, kernel, kernel_part
from guide_graphics.raster.scene import F32, I32

SUBPIXELS = 256
RECORD = 7  # x0 y0 x1 y1 x2 y2 in 1/256 pixel, counter-clockwise; the triangle's number


@kernel_part
def project(corner: F32, width: Int, height: Int, point: I32) -> Real:
    """Snap a corner in clip space to 1/256 pixel around pixel centres; returns its depth 0..1."""
    one, half, subpixels = np.float32(1), np.float32(0.5), np.float32(SUBPIXELS)
    inverse = one / corner[3]
    x = corner[0] * inverse * (half * np.float32(width)) + half * np.float32(width)
    y = corner[1] * inverse * (half * np.float32(height)) + half * np.float32(height)
    # Pixel (i, j) is sampled at its centre (i + 1/2, j + 1/2); shifted by 1/2 that is 256 * (i, j)
    point[0] = np.int32(np.rint((x - half) * subpixels))
    point[1] = np.int32(np.rint((y - half) * subpixels))
    # Cut through a line that is 1e16 long, a corner may come out beyond the planes
    return min(max(corner[2] * inverse * half + half, np.float32(0)), one)


@kernel_part
def doubled_area(points: I32) -> Int:
    """Twice the signed area of a snapped triangle (3, 2); positive when counter-clockwise."""
    ax, ay = np.int64(points[1, 0]) - points[0, 0], np.int64(points[1, 1]) - points[0, 1]
    bx, by = np.int64(points[2, 0]) - points[0, 0], np.int64(points[2, 1]) - points[0, 1]
    return ax * by - ay * bx


@kernel_part
def covers_no_centre(points: I32, width: Int, height: Int) -> Flag:
    """Whether the bounding box of a snapped triangle holds no pixel's centre of the picture."""
    left = (min(points[0, 0], points[1, 0], points[2, 0]) + 255) >> 8
    right = max(points[0, 0], points[1, 0], points[2, 0]) >> 8
    bottom = (min(points[0, 1], points[1, 1], points[2, 1]) + 255) >> 8
    top = max(points[0, 1], points[1, 1], points[2, 1]) >> 8
    return left > right or bottom > top or right < 0 or top < 0 or left >= width or bottom >= height


@kernel
def set_up(
    clip: F32,
    triangles: I32,
    mesh_of: I32,
    double_sided: npt.NDArray[np.bool_],
    width: Int,
    height: Int,
    gx: Real,
    gy: Real,
    records: I32,
    depths: F32,
) -> Int:
    """Write a record (RECORD,) and depths (3,) for all that may be seen, in order of submission.

    Returns how many there are; when that is more than `records` holds, the rest is not written.
    """
    polygon = np.empty((MAX_CORNERS, 4), np.float32)
    spare = np.empty((MAX_CORNERS, 4), np.float32)
    points = np.empty((3, 2), np.int32)
    z = np.empty(3, np.float32)
    count = 0
    for number in range(len(triangles)):
        corners = 3
        outside_any, outside_all = 0, (1 << PLANES) - 1
        for k in range(3):
            vertex = triangles[number, k]
            code = outcode(clip, vertex, gx, gy)
            outside_any |= code
            outside_all &= code
            polygon[k] = clip[vertex]
        if outside_all:
            continue
        if outside_any:
            for plane in range(PLANES):
                if outside_any & (1 << plane):
                    corners = cut(polygon, spare, corners, plane, gx, gy)
        for fan in range(1, corners - 1):
            z[0] = project(polygon[0], width, height, points[0])
            z[1] = project(polygon[fan], width, height, points[1])
            z[2] = project(polygon[fan + 1], width, height, points[2])
            area = doubled_area(points)
            if area == 0 or (area < 0 and not double_sided[mesh_of[number]]):
                continue
            if covers_no_centre(points, width, height):
                continue
            if count < len(records):
                b, c = (1, 2) if area > 0 else (2, 1)
                records[count, 0], records[count, 1] = points[0, 0], points[0, 1]
                records[count, 2], records[count, 3] = points[b, 0], points[b, 1]
                records[count, 4], records[count, 5] = points[c, 0], points[c, 1]
                records[count, 6] = number
                depths[count, 0], depths[count, 1], depths[count, 2] = z[0], z[b], z[c]
            count += 1
    return count


@kernel
def count_bands(records: I32, count: Int, height: Int, rows: Int, starts: I32) -> None:
    """Fill `starts` (bands + 1,) so that band b's list is starts[b] to starts[b + 1] - 1."""
    starts[:] = 0
    for i in range(count):
        bottom, top = rows_of(records[i], height)
        for band in range(bottom // rows, top // rows + 1):
            starts[band + 1] += 1
    for band in range(1, len(starts)):
        starts[band] += starts[band - 1]


@kernel
def fill_bands(records: I32, count: Int, height: Int, rows: Int, starts: I32, items: I32) -> None:
    """Write the numbers of the records that touch each band, in order, to `items`."""
    following = starts.copy()
    for i in range(count):
        bottom, top = rows_of(records[i], height)
        for band in range(bottom // rows, top // rows + 1):
            items[following[band]] = i
            following[band] += 1


@kernel_part
def rows_of(record: I32, height: Int) -> tuple[Int, Int]:
    """First and last row of the picture that a record's bounding box touches."""
    bottom = (min(record[1], record[3], record[5]) + 255) >> 8
    top = max(record[1], record[3], record[5]) >> 8
    return max(bottom, 0), min(top, height - 1)
