"""Triangles: those that can be seen, eight at once, and the tiles of the picture they touch.

A survivor is four integers: its vertices, counter-clockwise as it is seen, and its number, doubled,
plus one where its back is seen. Each chunk of triangles writes its survivors to a segment of its
own and counts them tile by tile; what comes before whom follows from the counts alone. So the lists
of the tiles are in order of submission, whichever thread was faster.
"""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from guide_graphics.raster.clipping import MAX_CORNERS, PLANES, cut, distance
from guide_graphics.raster.kernel import Flag, Int, Real, kernel, kernel_part, kernel_step
from guide_graphics.raster.scene import F32, I32
from guide_graphics.raster.software.layout import ATTRIBUTES
from guide_graphics.raster.software.simd import (
    LANES,
    bits,
    f32x8,
    gather_pairs,
    i32x8,
    lanes,
    least,
    load,
    lowest_bit,
    most,
    nearest,
    pointer,
    select,
    store,
    take,
)
from guide_graphics.raster.software.vertices import OUTSIDE, snapped

I64 = npt.NDArray[np.int64]

NEXT_CHUNK, NEXT_VERTEX = 0, 1  # of the counters
_SMALL = 1 << 14  # 64 pixels: up to here the doubled area fits 32 bits


@kernel
def cull_and_bin(
    counters: I64,
    chunk: Int,
    corners: I32,
    mesh_of: I32,
    double_sided: npt.NDArray[np.uint8],
    records: F32,
    attributes: F32,
    positions: F32,
    matrices: F32,
    gx: Real,
    gy: Real,
    width: Int,
    height: Int,
    tile_bits: Int,
    reach: Int,
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
        reach: how far from its centre a pixel is sampled, in 1/256 pixel.
        segment: room for the survivors of a chunk.
        survivors: (chunks * segment, 4).
        boxes: (chunks * segment,) first and last column and row of tiles, a byte each.
        totals: (chunks,) how many survivors each has, also when there was no room.
        counts: (chunks, tiles).
    """
    count, chunks, tiles = corners.shape[1], len(totals), counts.shape[1]
    counters_, corners_, mesh_of_ = pointer(counters), pointer(corners), pointer(mesh_of)
    two_sides, records_ = pointer(double_sided), pointer(records)
    survivors_, boxes_, counts_ = pointer(survivors), pointer(boxes), pointer(counts)
    attributes_, positions_, matrices_ = pointer(attributes), pointer(positions), pointer(matrices)
    room, vertices = len(records), positions.shape[1]
    tiles_x = (width + (1 << tile_bits) - 1) >> tile_bits
    real, numbers = len(mesh_of), lanes()
    outside, small, zero, low = f32x8(OUTSIDE), i32x8(_SMALL), i32x8(0), i32x8(255 - reach)
    eight, far = i32x8(8), i32x8(reach)
    last_column, last_row = i32x8(width - 1), i32x8(height - 1)
    to_tile = i32x8(8 + tile_bits)
    one, two = i32x8(1), i32x8(2)
    # Lanes as numbers, for those that are left: vertices, area, tiles
    spilled = np.empty(8 * LANES, np.int32)
    spill = pointer(spilled)
    polygon = np.empty((MAX_CORNERS, 4 + ATTRIBUTES), np.float32)
    spare = np.empty((MAX_CORNERS, 4 + ATTRIBUTES), np.float32)
    while True:
        number = take(counters_, NEXT_CHUNK, 1)
        if number >= chunks:
            spilled[0] = 0  # it lives until it is named for the last time, and `spill` points there
            return
        counts[number] = 0
        used = 0
        for base in range(number * chunk, min((number + 1) * chunk, count), LANES):
            a, b = load(corners_, base), load(corners_, count + base)
            c = load(corners_, 2 * count + base)
            ax, ay = gather_pairs(records_, a << two)
            bx, by = gather_pairs(records_, b << two)
            cx, cy = gather_pairs(records_, c << two)
            cut_off = (ax == outside) | (bx == outside) | (cx == outside)
            ax, ay = i32x8(nearest(ax)), i32x8(nearest(ay))
            bx, by = i32x8(nearest(bx)), i32x8(nearest(by))
            cx, cy = i32x8(nearest(cx)), i32x8(nearest(cy))
            left, right = least(least(ax, bx), cx), most(most(ax, bx), cx)
            bottom, top = least(least(ay, by), cy), most(most(ay, by), cy)
            cut_off = cut_off & (i32x8(base) + numbers < i32x8(real))  # what fills up is none
            large = cut_off | (right - left >= small) | (top - bottom >= small)
            area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
            # Pixels are sampled at their centres, multiples of 256 here
            left = most((left + low) >> eight, zero)
            right = least((right + far) >> eight, last_column)
            bottom = most((bottom + low) >> eight, zero)
            top = least((top + far) >> eight, last_row)
            seen = (left <= right) & (bottom <= top) & (area != zero)
            if reach == 0:
                # Of boxes of 2 x 2 pixels at most, every second one holds no centre of a pixel
                tiny = (right - left <= one) & (top - bottom <= one) & (area > zero)
                px, py = left << eight, bottom << eight
                mx, my = left - right, bottom - top  # 0, or all bits
                ea = _corners(bx, by, cx, cy, px, py, mx, my)
                eb = _corners(cx, cy, ax, ay, px, py, mx, my)
                ec = _corners(ax, ay, bx, by, px, py, mx, my)
                missed = (ea[0] | eb[0] | ec[0]) & (ea[1] | eb[1] | ec[1])
                missed = missed & (ea[2] | eb[2] | ec[2]) & (ea[3] | eb[3] | ec[3])
                seen = seen & ~(tiny & (missed < zero))
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
                        triangle, va, vb, vc, mesh_of_[triangle], two_sides, records_, room,
                        attributes_, positions_, vertices, matrices_, gx, gy, width, height,
                        tile_bits, reach, tiles_x, tiles * number, number * segment, segment,
                        used, survivors_, boxes_, counts_, counters_, polygon, spare,
                    )  # fmt: skip
                    continue
                back = spill[24 + k] < 0
                if back and two_sides[mesh_of_[triangle]] == 0:
                    continue
                used = _add(
                    triangle, va, vb, vc, back, spill[32 + k], spill[40 + k], spill[48 + k],
                    spill[56 + k], tiles_x, tiles * number, number * segment, segment, used,
                    survivors_, boxes_, counts_,
                )  # fmt: skip
        totals[number] = used


@kernel_part
def _corners(
    ax: Any, ay: Any, bx: Any, by: Any, px: Any, py: Any, mx: Any, my: Any
) -> tuple[Any, Any, Any, Any]:
    """An edge's function at the four pixels of a tiny box, as `cover` has it; below 0 is outside.

    The edge goes from a to b; the box begins at (px, py) and goes on for a pixel where mx and my
    are all bits, and ends there where they are 0.
    """
    zero, eight = i32x8(0), i32x8(8)
    dx, dy = bx - ax, by - ay
    taken = (dy < zero) | ((dy == zero) & (dx > zero))  # a left or a top edge owns what lies on it
    first = dx * (py - ay) - dy * (px - ax) - select(taken, zero, i32x8(1))
    right, up = (dy << eight) & mx, (dx << eight) & my
    above = first + up
    return first, first - right, above, above - right


@kernel_part
def _add(
    triangle: Int, a: Int, b: Int, c: Int, back: Flag, left: Int, right: Int, bottom: Int, top: Int,
    tiles_x: Int, counted: Int, first: Int, segment: Int, used: Int, survivors: Any, boxes: Any,
    counts: Any,
) -> Int:  # fmt: skip
    """Write a survivor, the `used`-th from `first` on, and count it in its tiles."""
    if used < segment:
        at = first + used
        survivors[4 * at] = a
        survivors[4 * at + 1] = c if back else b
        survivors[4 * at + 2] = b if back else c
        survivors[4 * at + 3] = 2 * triangle + (1 if back else 0)
        boxes[at] = left | right << 8 | bottom << 16 | top << 24
        for row in range(bottom, top + 1):
            for column in range(left, right + 1):
                counts[counted + row * tiles_x + column] += 1
    return used + 1


@kernel_step
def _add_special(
    triangle: Int, a: Int, b: Int, c: Int, mesh: Int, double_sided: Any, records: Any,
    room: Int, attributes: Any, positions: Any, vertices: Int, matrices: Any, gx: Real, gy: Real,
    width: Int, height: Int, tile_bits: Int, reach: Int, tiles_x: Int, counted: Int, first: Int,
    segment: Int, used: Int, survivors: Any, boxes: Any, counts: Any, counters: Any, polygon: F32,
    spare: F32,
) -> Int:  # fmt: skip
    """The same for a triangle that is large or has a corner outside of a plane: clip it first."""
    outside = records[4 * a] == OUTSIDE or records[4 * b] == OUTSIDE or records[4 * c] == OUTSIDE
    corners, new = 3, 0
    if outside:
        corners = _clip(
            a, b, c, 16 * mesh, matrices, attributes, positions, vertices, gx, gy, polygon, spare
        )
        if corners < 3:
            return used
        new = take(counters, NEXT_VERTEX, corners)
        if new + corners > room:
            return used + corners - 2  # the caller makes room, and all of this is done again
        for k in range(corners):
            _project(polygon, k, width, height, records, 4 * (new + k))
            for part in range(ATTRIBUTES):
                attributes[ATTRIBUTES * (new + k) + part] = polygon[k, 4 + part]
    for fan in range(1, corners - 1):
        if outside:
            a, b, c = new, new + fan, new + fan + 1
        ax, ay = snapped(records[4 * a]), snapped(records[4 * a + 1])
        bx, by = snapped(records[4 * b]), snapped(records[4 * b + 1])
        cx, cy = snapped(records[4 * c]), snapped(records[4 * c + 1])
        area = (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)
        left = max((min(ax, bx, cx) - reach + 255) >> 8, 0)
        right = min((max(ax, bx, cx) + reach) >> 8, width - 1)
        bottom = max((min(ay, by, cy) - reach + 255) >> 8, 0)
        top = min((max(ay, by, cy) + reach) >> 8, height - 1)
        if area == 0 or left > right or bottom > top:
            continue
        if area < 0 and double_sided[mesh] == 0:
            continue
        used = _add(
            triangle, a, b, c, area < 0, left >> tile_bits, right >> tile_bits,
            bottom >> tile_bits, top >> tile_bits, tiles_x, counted, first, segment, used,
            survivors, boxes, counts,
        )  # fmt: skip
    return used


@kernel_step
def _clip(
    a: Int, b: Int, c: Int, m: Int, matrices: Any, attributes: Any, positions: Any, vertices: Int,
    gx: Real, gy: Real, polygon: F32, spare: F32,
) -> Int:  # fmt: skip
    """Cut a triangle at all planes it reaches past; returns how many corners `polygon` has."""
    outside_any, outside_all = 0, (1 << PLANES) - 1
    for k in range(3):
        vertex = a if k == 0 else b if k == 1 else c
        x, y = positions[vertex], positions[vertices + vertex]
        z = positions[2 * vertices + vertex]
        for row in range(4):
            at = m + 4 * row
            polygon[k, row] = (
                matrices[at] * x + matrices[at + 1] * y + matrices[at + 2] * z + matrices[at + 3]
            )
        for part in range(ATTRIBUTES):
            polygon[k, 4 + part] = attributes[ATTRIBUTES * vertex + part]
        code = 0
        for plane in range(PLANES):
            # NaN, as an overflow leaves it, is inside of nothing
            if not (
                distance(plane, polygon[k, 0], polygon[k, 1], polygon[k, 2], polygon[k, 3], gx, gy)
                >= 0
            ):
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
def _project(polygon: F32, corner: Int, width: Int, height: Int, records: Any, at: Int) -> None:
    """Write the record of a corner."""
    one, half = np.float32(1), np.float32(0.5)
    inverse = one / polygon[corner, 3]
    x = polygon[corner, 0] * inverse * (half * np.float32(width)) + half * np.float32(width)
    y = polygon[corner, 1] * inverse * (half * np.float32(height)) + half * np.float32(height)
    records[at] = (x - half) * np.float32(256)
    records[at + 1] = (y - half) * np.float32(256)
    depth = polygon[corner, 2] * inverse * half + half
    # Cut through a line that is 1e16 long, a corner may come out beyond the planes
    records[at + 2] = min(max(depth, np.float32(0)), one)
    records[at + 3] = inverse


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
    counters_, totals_, boxes_ = pointer(counters), pointer(totals), pointer(boxes)
    places_, items_ = pointer(places), pointer(items)
    chunks, tiles = places.shape
    while True:
        chunk = take(counters_, NEXT_CHUNK, 1)
        if chunk >= chunks:
            return
        for k in range(totals_[chunk]):
            at = chunk * segment + k
            box = boxes_[at]
            for row in range((box >> 16) & 255, (box >> 24) + 1):
                for column in range(box & 255, ((box >> 8) & 255) + 1):
                    tile = chunk * tiles + row * tiles_x + column
                    items_[places_[tile]] = at
                    places_[tile] += 1
