"""Triangles: those that can be seen, eight at once, and the tiles of the picture they touch.

A survivor is four integers: its vertices, counter-clockwise as it is seen, and its number, doubled,
plus one where its back is seen. Each chunk of triangles writes its survivors to a segment of its
own and counts them tile by tile; what comes before whom follows from the counts alone. So the lists
of the tiles are in order of submission, whichever thread was faster.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from guide_graphics.raster.clipping import MAX_CORNERS, PLANES, cut, distance
from guide_graphics.raster.kernel import Flag, Int, Real, kernel, kernel_part
from guide_graphics.raster.scene import F32, I32
from guide_graphics.raster.software.layout import ATTRIBUTES
from guide_graphics.raster.software.simd import (
    LANES,
    bits,
    gather_pairs,
    i32x8,
    least,
    load,
    lowest_bit,
    most,
    store,
    take,
)
from guide_graphics.raster.software.vertices import OUTSIDE

I64 = npt.NDArray[np.int64]

NEXT_CHUNK, NEXT_VERTEX = 0, 1  # of the counters
_SMALL = 1 << 14  # 64 pixels: up to here the doubled area fits 32 bits


@kernel
def cull_and_bin(
    counters: I64,
    chunk: Int,
    corners: I32,
    mesh_of: I32,
    double_sided: npt.NDArray[np.bool_],
    records: I32,
    attributes: F32,
    positions: F32,
    matrices: F32,
    gx: Real,
    gy: Real,
    width: Int,
    height: Int,
    tile_bits: Int,
    segment: Int,
    survivors: I32,
    boxes: I32,
    totals: I32,
    counts: I32,
) -> None:
    """Write the survivors of all chunks, the boxes of tiles they touch, and the tiles' counts.

    Args:
        counters: (2,) the next chunk, and the next vertex that clipping makes.
        chunk: triangles in one, a multiple of eight.
        corners: (3, m).
        mesh_of: of each triangle.
        double_sided: of each mesh.
        records: (n, 4) of the vertices; clipping adds some.
        attributes: (n, ATTRIBUTES), likewise.
        positions: (3, vertices).
        matrices: (meshes, 4, 4).
        gx: how many times w the x of a vertex may be.
        gy: likewise for y.
        width: of the picture.
        height: likewise.
        tile_bits: a tile is 2 ** tile_bits pixels wide and high.
        segment: room for the survivors of a chunk.
        survivors: (chunks * segment, 4).
        boxes: (chunks * segment,) first and last column and row of tiles, a byte each.
        totals: (chunks,) how many survivors each has, also when there was no room.
        counts: (chunks, tiles).
    """
    count = corners.shape[1]
    tiles_x = (width + (1 << tile_bits) - 1) >> tile_bits
    outside, small, zero, low = i32x8(OUTSIDE), i32x8(_SMALL), i32x8(0), i32x8(255)
    eight = i32x8(8)
    last_column, last_row = i32x8(width - 1), i32x8(height - 1)
    to_tile = i32x8(8 + tile_bits)
    two = i32x8(2)
    # Lanes as numbers, for those that are left: vertices, area, tiles
    spill = np.empty(8 * LANES, np.int32)
    polygon = np.empty((MAX_CORNERS, 4 + ATTRIBUTES), np.float32)
    spare = np.empty((MAX_CORNERS, 4 + ATTRIBUTES), np.float32)
    while True:
        number = take(counters, NEXT_CHUNK, 1)
        if number >= len(totals):
            return
        counts[number] = 0
        used = 0
        for base in range(number * chunk, min((number + 1) * chunk, count), LANES):
            a, b, c = load(corners, base), load(corners, count + base), load(corners, 2 * count + base)
            ax, ay = gather_pairs(records, a << two)
            bx, by = gather_pairs(records, b << two)
            cx, cy = gather_pairs(records, c << two)
            left, right = least(least(ax, bx), cx), most(most(ax, bx), cx)
            bottom, top = least(least(ay, by), cy), most(most(ay, by), cy)
            large = (left == outside) | (right - left >= small) | (top - bottom >= small)
            area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
            # Pixels are sampled at their centres, multiples of 256 here
            left, right = most((left + low) >> eight, zero), least(right >> eight, last_column)
            bottom, top = most((bottom + low) >> eight, zero), least(top >> eight, last_row)
            seen = (left <= right) & (bottom <= top) & (area != zero)
            left_over = bits(seen | large)
            if left_over == 0:
                continue
            special = bits(large)
            store(spill, 0, a)
            store(spill, 8, b)
            store(spill, 16, c)
            store(spill, 24, area)
            shift = to_tile - eight
            store(spill, 32, left >> shift)
            store(spill, 40, right >> shift)
            store(spill, 48, bottom >> shift)
            store(spill, 56, top >> shift)
            while left_over != 0:
                k = lowest_bit(left_over)
                left_over &= left_over - 1
                triangle = base + k
                va, vb, vc = spill[k], spill[8 + k], spill[16 + k]
                if (special >> k) & 1:
                    used = _add_special(
                        triangle, va, vb, vc, mesh_of, double_sided, records, attributes, positions,
                        matrices, gx, gy, width, height, tile_bits, tiles_x, number, segment, used,
                        survivors, boxes, counts, counters, polygon, spare,
                    )  # fmt: skip
                    continue
                back = spill[24 + k] < 0
                if back and not double_sided[mesh_of[triangle]]:
                    continue
                used = _add(
                    triangle, va, vb, vc, back, spill[32 + k], spill[40 + k], spill[48 + k],
                    spill[56 + k], tiles_x, number, segment, used, survivors, boxes, counts,
                )  # fmt: skip
        totals[number] = used


@kernel_part
def _add(
    triangle: Int,
    a: Int,
    b: Int,
    c: Int,
    back: Flag,
    left: Int,
    right: Int,
    bottom: Int,
    top: Int,
    tiles_x: Int,
    chunk: Int,
    segment: Int,
    used: Int,
    survivors: I32,
    boxes: I32,
    counts: I32,
) -> Int:
    """Write a survivor and count it in its tiles."""
    if used < segment:
        at = chunk * segment + used
        survivors[at, 0] = a
        survivors[at, 1] = c if back else b
        survivors[at, 2] = b if back else c
        survivors[at, 3] = 2 * triangle + (1 if back else 0)
        boxes[at] = left | right << 8 | bottom << 16 | top << 24
        for row in range(bottom, top + 1):
            for column in range(left, right + 1):
                counts[chunk, row * tiles_x + column] += 1
    return used + 1


@kernel
def _add_special(
    triangle: Int,
    a: Int,
    b: Int,
    c: Int,
    mesh_of: I32,
    double_sided: npt.NDArray[np.bool_],
    records: I32,
    attributes: F32,
    positions: F32,
    matrices: F32,
    gx: Real,
    gy: Real,
    width: Int,
    height: Int,
    tile_bits: Int,
    tiles_x: Int,
    chunk: Int,
    segment: Int,
    used: Int,
    survivors: I32,
    boxes: I32,
    counts: I32,
    counters: I64,
    polygon: F32,
    spare: F32,
) -> Int:
    """The same for a triangle that is large or has a corner outside of a plane: clip it first."""
    mesh = mesh_of[triangle]
    cut_it = (
        records[a, 0] == OUTSIDE or records[b, 0] == OUTSIDE or records[c, 0] == OUTSIDE
    )
    corners = 3
    first = 0
    if cut_it:
        corners = _clip(a, b, c, matrices[mesh], attributes, positions, gx, gy, polygon, spare)
        if corners < 3:
            return used
        first = take(counters, NEXT_VERTEX, corners)
        if first + corners > len(records):
            return used + corners - 2  # the caller makes room, and all of this is done again
        for k in range(corners):
            _project(polygon, k, width, height, records, first + k)
            attributes[first + k] = polygon[k, 4:]
    for fan in range(1, corners - 1):
        if cut_it:
            a, b, c = first, first + fan, first + fan + 1
        ax, ay = np.int64(records[a, 0]), np.int64(records[a, 1])
        bx, by = np.int64(records[b, 0]), np.int64(records[b, 1])
        cx, cy = np.int64(records[c, 0]), np.int64(records[c, 1])
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        left = max((min(ax, bx, cx) + 255) >> 8, 0)
        right = min(max(ax, bx, cx) >> 8, width - 1)
        bottom = max((min(ay, by, cy) + 255) >> 8, 0)
        top = min(max(ay, by, cy) >> 8, height - 1)
        if area == 0 or left > right or bottom > top:
            continue
        if area < 0 and not double_sided[mesh]:
            continue
        used = _add(
            triangle, a, b, c, area < 0, left >> tile_bits, right >> tile_bits,
            bottom >> tile_bits, top >> tile_bits, tiles_x, chunk, segment, used, survivors, boxes,
            counts,
        )  # fmt: skip
    return used


@kernel
def _clip(
    a: Int,
    b: Int,
    c: Int,
    matrix: F32,
    attributes: F32,
    positions: F32,
    gx: Real,
    gy: Real,
    polygon: F32,
    spare: F32,
) -> Int:
    """Cut a triangle at all planes it reaches past; returns how many corners `polygon` has."""
    outside_any, outside_all = 0, (1 << PLANES) - 1
    for k in range(3):
        vertex = a if k == 0 else b if k == 1 else c
        x, y, z = positions[0, vertex], positions[1, vertex], positions[2, vertex]
        for row in range(4):
            polygon[k, row] = (
                matrix[row, 0] * x + matrix[row, 1] * y + matrix[row, 2] * z + matrix[row, 3]
            )
        polygon[k, 4:] = attributes[vertex]
        code = 0
        for plane in range(PLANES):
            p = polygon[k]
            # NaN, as an overflow leaves it, is inside of nothing
            if not distance(plane, p[0], p[1], p[2], p[3], gx, gy) >= 0:
                code |= 1 << plane
        outside_any |= code
        outside_all &= code
    if outside_all:
        return 0
    corners = 3
    for plane in range(PLANES):
        if outside_any & (1 << plane):
            corners = cut(polygon, spare, corners, plane, gx, gy)
    for k in range(corners):
        if not polygon[k, 3] > 0:  # the eye itself, or NaN
            return 0
    return corners


@kernel_part
def _project(polygon: F32, corner: Int, width: Int, height: Int, records: I32, at: Int) -> None:
    """Write the record of a corner."""
    one, half = np.float32(1), np.float32(0.5)
    inverse = one / polygon[corner, 3]
    x = polygon[corner, 0] * inverse * (half * np.float32(width)) + half * np.float32(width)
    y = polygon[corner, 1] * inverse * (half * np.float32(height)) + half * np.float32(height)
    records[at, 0] = np.int32(np.rint((x - half) * np.float32(256)))
    records[at, 1] = np.int32(np.rint((y - half) * np.float32(256)))
    floats = records.view(np.float32)
    floats[at, 2] = polygon[corner, 2] * inverse * half + half
    floats[at, 3] = inverse


@kernel
def place(counts: I32, starts: I32) -> None:
    """Turn counts into places: each chunk's first in each tile's list; `starts` has the lists'."""
    chunks, tiles = counts.shape
    running = 0
    for tile in range(tiles):
        starts[tile] = running
        for chunk in range(chunks):
            count = counts[chunk, tile]
            counts[chunk, tile] = running
            running += count
    starts[tiles] = running


@kernel
def fill(
    counters: I64, totals: I32, segment: Int, boxes: I32, tiles_x: Int, places: I32, items: I32
) -> None:
    """Write the tiles' lists: indices of survivors, in order of submission."""
    while True:
        chunk = take(counters, NEXT_CHUNK, 1)
        if chunk >= len(totals):
            return
        for k in range(totals[chunk]):
            at = chunk * segment + k
            box = boxes[at]
            for row in range((box >> 16) & 255, (box >> 24) + 1):
                for column in range(box & 255, ((box >> 8) & 255) + 1):
                    tile = row * tiles_x + column
                    items[places[chunk, tile]] = at
                    places[chunk, tile] += 1
