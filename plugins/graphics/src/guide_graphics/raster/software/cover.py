"""Coverage and visibility within one tile: eight pixels of a row at once.

The edge function of a pixel is twice the area of the triangle it makes with the edge, in 1/256
pixel: dx * (py - y) - dy * (px - x). From pixel to pixel it grows by multiples of 256, so its sign
is that of itself shifted right by 8, bits that are the same for every pixel. Cut to 32 bits that
holds for any triangle: what is farther than 2^30 from an edge at a corner of the tile is on the
same side of it everywhere in the tile.
"""

from __future__ import annotations

from typing import Any

import numpy as np

from guide_graphics.raster.kernel import Flag, Int, Real, kernel_part
from guide_graphics.raster.software.layout import ATTRIBUTES
from guide_graphics.raster.software.simd import (
    LANES,
    bits,
    f32x8,
    fma,
    i32x8,
    lanes,
    load,
    select,
    store,
)

FAR = (1 << 24) - 1  # depth is kept as a 24-bit integer, as OpenGL keeps it
BLOCK = 64  # planes count from the corner of the block of 64 x 64 pixels they are used in
PLANES = 3 * ATTRIBUTES  # floats for each triangle seen: step in x, step in y, value at the corner
PAD = LANES  # eight pixels are written at once, the last of them behind the tile

_MOST = 1 << 30


@kernel_part
def clear(depth: Any, slots: Any, pixels: Int) -> None:
    """Nothing is seen yet, infinitely far away."""
    far, none = i32x8(FAR), i32x8(-1)
    for at in range(0, pixels, LANES):
        store(depth, at, far)
        store(slots, at, none)


@kernel_part
def _limited(edge: Int) -> Int:
    return np.int32(min(max(edge >> 8, -_MOST), _MOST))


@kernel_part
def _bias(dx: Int, dy: Int) -> Int:
    """0 for a left or a top edge, -1 for the others; "top" is towards row 0."""
    return 0 if dy < 0 or (dy == 0 and dx > 0) else -1


@kernel_part
def cover(
    survivors: Any,
    item: Int,
    records: Any,
    depths: Any,
    attributes: Any,
    x0: Int,
    y0: Int,
    width: Int,
    height: Int,
    stride: Int,
    depth: Any,
    slots: Any,
    slot: Int,
    planes: Any,
    numbers: Any,
) -> Int:
    """Draw one survivor into a tile; returns `slot`, or the next one when some pixel shows it.

    All that is indexed comes as a pointer.

    Args:
        survivors: see `triangles`.
        item: which of them.
        records: (n, 4), snapped x and y in the first two columns.
        depths: the same memory as floats: depth and 1/w in the other two.
        attributes: (n, ATTRIBUTES).
        x0: the tile's first column.
        y0: its first row.
        width: how much of it lies in the picture.
        height: likewise.
        stride: from row to row of the next two.
        depth: of each pixel, flat.
        slots: which triangle it shows, flat.
        slot: the number it gets in `slots`.
        planes: (slots, PLANES).
        numbers: (slots,) of the survivors, as these have it.
    """
    a, b, c = survivors[4 * item], survivors[4 * item + 1], survivors[4 * item + 2]
    ax, ay = np.int64(records[4 * a]), np.int64(records[4 * a + 1])
    bx, by = np.int64(records[4 * b]), np.int64(records[4 * b + 1])
    cx, cy = np.int64(records[4 * c]), np.int64(records[4 * c + 1])
    left = max((min(ax, bx, cx) + 255) >> 8, x0) - x0
    right = min(max(ax, bx, cx) >> 8, x0 + width - 1) - x0
    bottom = max((min(ay, by, cy) + 255) >> 8, y0) - y0
    top = min(max(ay, by, cy) >> 8, y0 + height - 1) - y0
    if left > right or bottom > top:
        return slot

    # Edge k lies opposite of corner k
    dxa, dya, dxb, dyb, dxc, dyc = cx - bx, cy - by, ax - cx, ay - cy, bx - ax, by - ay
    px, py = (x0 + left) * 256, (y0 + bottom) * 256
    ea = dxa * (py - by) - dya * (px - bx) + _bias(dxa, dya)
    eb = dxb * (py - cy) - dyb * (px - cx) + _bias(dxb, dyb)
    ec = dxc * (py - ay) - dyc * (px - ax) + _bias(dxc, dyc)

    # Depth is linear over the picture
    area = np.float64(dxa * dyb - dya * dxb)
    step = 256 / area
    b_dx, c_dx, b_dy, c_dy = -dyb * step, -dyc * step, dxb * step, dxc * step
    za = np.float64(depths[4 * a + 2])
    zb, zc = depths[4 * b + 2] - za, depths[4 * c + 2] - za
    z_dx, z_dy = (zb * b_dx + zc * c_dx) * FAR, (zb * b_dy + zc * c_dy) * FAR
    corner_x, corner_y = x0 & -BLOCK, y0 & -BLOCK
    from_x, from_y = corner_x - ax / 256, corner_y - ay / 256
    z = np.float32(za * FAR + from_x * z_dx + from_y * z_dy + 0.5)
    z_right, z_up = np.float32(z_dx), np.float32(z_dy)

    seen = False
    first = bottom * stride + left
    across, up = x0 - corner_x + left, y0 - corner_y + bottom
    if right - left < LANES:
        seen = _strip(
            _limited(ea), _limited(eb), _limited(ec), dxa, dya, dxb, dyb, dxc, dyc, z, z_right,
            z_up, across, up, top - bottom + 1, first, stride, depth, slots, slot,
        )  # fmt: skip
    else:
        for y in range(0, top - bottom + 1, LANES):
            rows = min(top - bottom + 1 - y, LANES)
            for x in range(0, right - left + 1, LANES):
                # The shift commutes with whole pixels, the limit does not: it comes last
                sa = ea + 256 * (y * dxa - x * dya)
                sb = eb + 256 * (y * dxb - x * dyb)
                sc = ec + 256 * (y * dxc - x * dyc)
                if (
                    sa + 256 * 7 * (max(dxa, 0) + max(-dya, 0)) < 0
                    or sb + 256 * 7 * (max(dxb, 0) + max(-dyb, 0)) < 0
                    or sc + 256 * 7 * (max(dxc, 0) + max(-dyc, 0)) < 0
                ):
                    continue
                at = first + y * stride + x
                if (
                    sa + 256 * 7 * (min(dxa, 0) + min(-dya, 0)) >= 0
                    and sb + 256 * 7 * (min(dxb, 0) + min(-dyb, 0)) >= 0
                    and sc + 256 * 7 * (min(dxc, 0) + min(-dyc, 0)) >= 0
                ):
                    found = _full(
                        z, z_right, z_up, across + x, up + y, rows, at, stride, depth, slots, slot
                    )
                else:
                    found = _strip(
                        _limited(sa), _limited(sb), _limited(sc), dxa, dya, dxb, dyb, dxc, dyc, z,
                        z_right, z_up, across + x, up + y, rows, at, stride, depth, slots, slot,
                    )  # fmt: skip
                seen = seen or found
    if not seen:
        return slot

    # What is linear over the picture is each attribute divided by w
    pa = load(attributes, ATTRIBUTES * a) * f32x8(depths[4 * a + 3])
    pb = load(attributes, ATTRIBUTES * b) * f32x8(depths[4 * b + 3]) - pa
    pc = load(attributes, ATTRIBUTES * c) * f32x8(depths[4 * c + 3]) - pa
    to_right = pb * f32x8(b_dx) + pc * f32x8(c_dx)
    to_top = pb * f32x8(b_dy) + pc * f32x8(c_dy)
    at = slot * PLANES
    store(planes, at, to_right)
    store(planes, at + ATTRIBUTES, to_top)
    store(planes, at + 2 * ATTRIBUTES, pa + to_right * f32x8(from_x) + to_top * f32x8(from_y))
    numbers[slot] = survivors[4 * item + 3]
    return slot + 1


@kernel_part
def _strip(
    ea: Int, eb: Int, ec: Int, dxa: Int, dya: Int, dxb: Int, dyb: Int, dxc: Int, dyc: Int,
    z: Real, z_right: Real, z_up: Real, across: Int, up: Int, rows: Int, at: Int, stride: Int,
    depth: Any, slots: Any, slot: Int,
) -> Flag:  # fmt: skip
    """Test and draw eight columns; whether some pixel was taken.

    Args:
        ea: edge functions of the first pixel, limited.
        dxa: what they grow by from row to row; `dya` is what they fall by from column to column.
        z: depth at the block's corner, and how it grows.
        across: the first pixel's column, counted from the block's corner; `up`, its row.
        rows: how many.
        at: the first pixel's place in `depth` and `slots`.
    """
    along = lanes()
    va = i32x8(ea) - along * i32x8(dya)
    vb = i32x8(eb) - along * i32x8(dyb)
    vc = i32x8(ec) - along * i32x8(dyc)
    ua, ub, uc = i32x8(dxa), i32x8(dxb), i32x8(dxc)
    columns = f32x8(along + i32x8(across))
    steps, zero, mine = f32x8(z_right), i32x8(0), i32x8(slot)
    taken = i32x8(0) > zero
    for row in range(rows):
        deep = i32x8(fma(columns, steps, f32x8(z + np.float32(up + row) * z_up)))
        before = load(depth, at)
        wins = ((va | vb | vc) >= zero) & (deep < before)
        store(depth, at, select(wins, deep, before))
        store(slots, at, select(wins, mine, load(slots, at)))
        taken = taken | wins
        va, vb, vc = va + ua, vb + ub, vc + uc
        at += stride
    return bits(taken) != 0


@kernel_part
def _full(
    z: Real, z_right: Real, z_up: Real, across: Int, up: Int, rows: Int, at: Int, stride: Int,
    depth: Any, slots: Any, slot: Int,
) -> Flag:  # fmt: skip
    """The same where all pixels lie inside of the triangle."""
    columns = f32x8(lanes() + i32x8(across))
    steps, mine = f32x8(z_right), i32x8(slot)
    taken = i32x8(0) > i32x8(0)
    for row in range(rows):
        deep = i32x8(fma(columns, steps, f32x8(z + np.float32(up + row) * z_up)))
        before = load(depth, at)
        wins = deep < before
        store(depth, at, select(wins, deep, before))
        store(slots, at, select(wins, mine, load(slots, at)))
        taken = taken | wins
        at += stride
    return bits(taken) != 0
