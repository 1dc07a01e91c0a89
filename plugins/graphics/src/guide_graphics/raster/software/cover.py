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
from guide_graphics.raster.software.bundles import Drawn, Edges, Memory, Slopes, Tile
from guide_graphics.raster.software.layout import ATTRIBUTES
from guide_graphics.raster.software.simd import (
    LANES,
    bits,
    f32x8,
    fma,
    i32x8,
    lanes,
    load,
    most,
    select,
    store,
)
from guide_graphics.raster.software.vertices import snapped

FAR = (1 << 24) - 1  # depth is kept as a 24-bit integer, as OpenGL keeps it
PLANES = 3 * ATTRIBUTES  # floats for each triangle seen: gain in x, in y, value at its anchor
ANCHOR = PLANES - 2  # where its anchor stands in them: two attributes are none
PAD = LANES  # eight pixels are written at once, the last of them behind the tile

_MOST = 1 << 30

# Where four samples of a pixel lie, from its centre, in 1/256 pixel: in each column and each row of
# a 4 x 4 grid one, as OpenGL's and Direct3D's drivers have them
SAMPLE_X, SAMPLE_Y = (-32, 96, -96, 32), (-96, -32, 32, 96)
REACH = 96


@kernel_part
def clear(memory: Memory, pixels: Int) -> None:
    """Nothing is seen yet, infinitely far away."""
    far, none = i32x8(FAR), i32x8(-1)
    for at in range(0, pixels, LANES):
        store(memory.depth, at, far)
        store(memory.slots, at, none)


@kernel_part
def limited(edge: Int) -> Int:
    """An edge function per whole pixel, in 32 bits."""
    return np.int32(min(max(edge >> 8, -_MOST), _MOST))


@kernel_part
def bias(dx: Int, dy: Int) -> Int:
    """0 for a left or a top edge, -1 for the others: added to an edge function, >= 0 decides.

    "Top" is towards row 0 in memory. That is the bottom of the picture here, as it is in an
    OpenGL framebuffer object.
    """
    return 0 if dy < 0 or (dy == 0 and dx > 0) else -1


@kernel_part
def edges_of(drawn: Drawn, item: Int, tile: Tile, reach: Int) -> Edges:
    """One survivor in one tile. Its box is empty (left > right or bottom > top) or not.

    The box holds all pixels with a sample in the triangle; samples are as far as `reach` from the
    centre, in 1/256 pixel.
    """
    a, b, c = corners_of(drawn, item)
    r = drawn.records
    ax, ay = snapped(r[4 * a]), snapped(r[4 * a + 1])
    bx, by = snapped(r[4 * b]), snapped(r[4 * b + 1])
    cx, cy = snapped(r[4 * c]), snapped(r[4 * c + 1])
    left = max((min(ax, bx, cx) - reach + 255) >> 8, tile.x0) - tile.x0
    right = min((max(ax, bx, cx) + reach) >> 8, tile.x0 + tile.wide - 1) - tile.x0
    bottom = max((min(ay, by, cy) - reach + 255) >> 8, tile.y0) - tile.y0
    top = min((max(ay, by, cy) + reach) >> 8, tile.y0 + tile.high - 1) - tile.y0

    dxa, dya, dxb, dyb, dxc, dyc = cx - bx, cy - by, ax - cx, ay - cy, bx - ax, by - ay
    px, py = (tile.x0 + left) * 256, (tile.y0 + bottom) * 256
    ea = dxa * (py - by) - dya * (px - bx) + bias(dxa, dya)
    eb = dxb * (py - cy) - dyb * (px - cx) + bias(dxb, dyb)
    ec = dxc * (py - ay) - dyc * (px - ax) + bias(dxc, dyc)

    return Edges(left, right, bottom, top, ea, eb, ec, dxa, dxb, dxc, dya, dyb, dyc)


@kernel_part
def slopes_of(drawn: Drawn, item: Int, tile: Tile) -> Slopes:
    """The shares of the corners, and depth: both are linear over the picture.

    Here it is the corners themselves that count, not what they were snapped to.
    """
    a, b, c = corners_of(drawn, item)
    r = drawn.records
    ax, ay = np.float64(r[4 * a]), np.float64(r[4 * a + 1])
    bx, by, cx, cy = r[4 * b] - ax, r[4 * b + 1] - ay, r[4 * c] - ax, r[4 * c + 1] - ay
    area = bx * cy - by * cx
    step = 256 / area if area != 0 else 0.0
    b_dx, c_dx, b_dy, c_dy = cy * step, -by * step, -cx * step, bx * step
    za = np.float64(r[4 * a + 2])
    zb, zc = r[4 * b + 2] - za, r[4 * c + 2] - za
    z_right, z_up = (zb * b_dx + zc * c_dx) * FAR, (zb * b_dy + zc * c_dy) * FAR
    # A corner far outside would leave large numbers to be taken from one another
    anchor_x = min(max(snapped(r[4 * a]) >> 8, 0), tile.last_x)
    anchor_y = min(max(snapped(r[4 * a + 1]) >> 8, 0), tile.last_y)
    from_x, from_y = anchor_x - ax / 256, anchor_y - ay / 256
    share_b, share_c = from_x * b_dx + from_y * b_dy, from_x * c_dx + from_y * c_dy
    z = (za + zb * share_b + zc * share_c) * FAR + 0.5
    return Slopes(
        np.float32(z), np.float32(z_right), np.float32(z_up), b_dx, c_dx, b_dy, c_dy,
        anchor_x, anchor_y, share_b, share_c,
    )  # fmt: skip


@kernel_part
def corners_of(drawn: Drawn, item: Int) -> tuple[Int, Int, Int]:
    """The vertices of a survivor."""
    at = 4 * item
    return drawn.survivors[at], drawn.survivors[at + 1], drawn.survivors[at + 2]


@kernel_part
def planes_of(drawn: Drawn, item: Int, t: Slopes) -> tuple[Any, Any, Any]:
    """All attributes at once, divided by w, which makes them linear over the picture.

    Returns what they gain from column to column and from row to row, and what they are at the
    anchor. From a corner of the tile a sliver's would be lost to rounding.
    """
    a, b, c = corners_of(drawn, item)
    pa = load(drawn.attributes, ATTRIBUTES * a) * f32x8(drawn.records[4 * a + 3])
    pb = load(drawn.attributes, ATTRIBUTES * b) * f32x8(drawn.records[4 * b + 3])
    pc = load(drawn.attributes, ATTRIBUTES * c) * f32x8(drawn.records[4 * c + 3])
    # Weighted by shares: near the eye 1/w is so large that a sum of differences would be lost
    value = pa * f32x8(1 - t.share_b - t.share_c) + pb * f32x8(t.share_b) + pc * f32x8(t.share_c)
    pb, pc = pb - pa, pc - pa
    right = pb * f32x8(t.b_dx) + pc * f32x8(t.c_dx)
    up = pb * f32x8(t.b_dy) + pc * f32x8(t.c_dy)
    return right, up, value


@kernel_part
def keep(planes: Any, at: Int, right: Any, up: Any, value: Any, t: Slopes) -> None:
    """Write what `planes_of` returns, and the anchor."""
    store(planes, at, right)
    store(planes, at + ATTRIBUTES, up)
    store(planes, at + 2 * ATTRIBUTES, value)
    planes[at + ANCHOR] = np.float32(t.anchor_x)
    planes[at + ANCHOR + 1] = np.float32(t.anchor_y)


@kernel_part
def edges_at(e: Edges, sample: Int, samples: Int) -> tuple[Int, Int, Int]:
    """Edge functions of a sample instead of the centre."""
    if samples == 1:
        return e.ea, e.eb, e.ec
    x, y = SAMPLE_X[sample], SAMPLE_Y[sample]
    return e.ea + e.dxa * y - e.dya * x, e.eb + e.dxb * y - e.dyb * x, e.ec + e.dxc * y - e.dyc * x


@kernel_part
def depth_at(t: Slopes, sample: Int, samples: Int) -> Real:
    """Depth of a sample instead of the centre, at the anchor's pixel."""
    if samples == 1:
        return t.z
    x, y = np.float32(SAMPLE_X[sample] / 256), np.float32(SAMPLE_Y[sample] / 256)
    return np.float32(t.z + x * t.z_right + y * t.z_up)


@kernel_part
def cover(
    drawn: Drawn, item: Int, tile: Tile, memory: Memory, slot: Int, samples: Int, pixels: Int
) -> Int:
    """Draw one survivor into a tile.

    Args:
        drawn: the triangles.
        item: which of the survivors.
        tile: where.
        memory: the thread's.
        slot: the number it gets in `memory.slots`.
        samples: of a pixel, 1 or 4.
        pixels: that the memory is for.

    Returns:
        `slot`, or the one behind it when some pixel shows the triangle.
    """
    e = edges_of(drawn, item, tile, REACH if samples > 1 else 0)
    if e.left > e.right or e.bottom > e.top:
        return slot
    wide, high = e.right - e.left + 1, e.top - e.bottom + 1
    t = slopes_of(drawn, item, tile)
    seen = False
    for sample in range(samples):
        ea, eb, ec = edges_at(e, sample, samples)
        z, at = depth_at(t, sample, samples), sample * pixels
        if wide <= LANES:
            # Aligned where it fits: what a neighbour has just written is then read in one piece,
            # which a processor does before it has reached the cache, and of two pieces not
            back = e.left & (LANES - 1)
            if e.right - e.left + back >= LANES:
                back = 0
            ea, eb, ec = ea + 256 * back * e.dya, eb + 256 * back * e.dyb, ec + 256 * back * e.dyc
            found = _strip(e, ea, eb, ec, t, z, -back, 0, high, tile, memory, at, slot)
        else:
            found = _blocks(e, ea, eb, ec, t, z, wide, high, tile, memory, at, slot)
        seen = seen or found
    if not seen:
        return slot
    right, up, value = planes_of(drawn, item, t)
    keep(memory.planes, slot * PLANES, right, up, value, t)
    memory.numbers[slot] = drawn.survivors[4 * item + 3]
    return slot + 1


@kernel_part
def _rows(e: Edges, ea: Int, eb: Int, ec: Int) -> tuple[Any, Any, Any]:
    """Edge functions of eight pixels of a row."""
    along = lanes()
    va = i32x8(limited(ea)) - along * i32x8(e.dya)
    vb = i32x8(limited(eb)) - along * i32x8(e.dyb)
    return va, vb, i32x8(limited(ec)) - along * i32x8(e.dyc)


@kernel_part
def _blocks(
    e: Edges, ea0: Int, eb0: Int, ec0: Int, t: Slopes, z: Real, wide: Int, high: Int, tile: Tile,
    memory: Memory, at: Int, slot: Int,
) -> Flag:  # fmt: skip
    """Draw a large box block by block of 8 x 8 pixels; whether some pixel was taken."""
    seen = False
    for y in range(0, high, LANES):
        rows = min(high - y, LANES)
        for x in range(0, wide, LANES):
            # The shift commutes with whole pixels, the limit does not: it comes last
            ea = ea0 + 256 * (y * e.dxa - x * e.dya)
            eb = eb0 + 256 * (y * e.dxb - x * e.dyb)
            ec = ec0 + 256 * (y * e.dxc - x * e.dyc)
            if (
                ea + 256 * 7 * (max(e.dxa, 0) + max(-e.dya, 0)) < 0
                or eb + 256 * 7 * (max(e.dxb, 0) + max(-e.dyb, 0)) < 0
                or ec + 256 * 7 * (max(e.dxc, 0) + max(-e.dyc, 0)) < 0
            ):
                continue  # all of the block lies outside of one edge
            if (
                ea + 256 * 7 * (min(e.dxa, 0) + min(-e.dya, 0)) >= 0
                and eb + 256 * 7 * (min(e.dxb, 0) + min(-e.dyb, 0)) >= 0
                and ec + 256 * 7 * (min(e.dxc, 0) + min(-e.dyc, 0)) >= 0
            ):
                found = _full(e, t, z, x, y, rows, tile, memory, at, slot)
            else:
                found = _strip(e, ea, eb, ec, t, z, x, y, rows, tile, memory, at, slot)
            seen = seen or found
    return seen


@kernel_part
def _strip(
    e: Edges, ea: Int, eb: Int, ec: Int, t: Slopes, z: Real, x: Int, y: Int, rows: Int, tile: Tile,
    memory: Memory, first: Int, slot: Int,
) -> Flag:  # fmt: skip
    """Test and draw eight columns from (x, y) of the box on; whether some pixel was taken."""
    va, vb, vc = _rows(e, ea, eb, ec)
    ua, ub, uc = i32x8(e.dxa), i32x8(e.dxb), i32x8(e.dxc)
    x, y = x + e.left, y + e.bottom
    columns = f32x8(lanes() + i32x8(tile.x0 + x - t.anchor_x))
    gain, zero, mine = f32x8(t.z_right), i32x8(0), i32x8(slot)
    at = first + y * tile.stride + x
    y = tile.y0 + y - t.anchor_y
    taken = zero > zero
    for row in range(rows):
        deep = most(i32x8(fma(columns, gain, f32x8(z + np.float32(y + row) * t.z_up))), i32x8(0))
        before = load(memory.depth, at)
        wins = ((va | vb | vc) >= zero) & (deep < before)
        store(memory.depth, at, select(wins, deep, before))
        store(memory.slots, at, select(wins, mine, load(memory.slots, at)))
        taken = taken | wins
        va, vb, vc = va + ua, vb + ub, vc + uc
        at += tile.stride
    return bits(taken) != 0


@kernel_part
def _full(
    e: Edges,
    t: Slopes,
    z: Real,
    x: Int,
    y: Int,
    rows: Int,
    tile: Tile,
    memory: Memory,
    first: Int,
    slot: Int,
) -> Flag:
    """The same where all pixels lie inside of the triangle."""
    x, y = x + e.left, y + e.bottom
    columns = f32x8(lanes() + i32x8(tile.x0 + x - t.anchor_x))
    gain, mine = f32x8(t.z_right), i32x8(slot)
    at = first + y * tile.stride + x
    y = tile.y0 + y - t.anchor_y
    taken = mine < mine
    for row in range(rows):
        deep = most(i32x8(fma(columns, gain, f32x8(z + np.float32(y + row) * t.z_up))), i32x8(0))
        before = load(memory.depth, at)
        wins = deep < before
        store(memory.depth, at, select(wins, deep, before))
        store(memory.slots, at, select(wins, mine, load(memory.slots, at)))
        taken = taken | wins
        at += tile.stride
    return bits(taken) != 0
