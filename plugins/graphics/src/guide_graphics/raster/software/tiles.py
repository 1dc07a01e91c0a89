"""A tile at a time: what is seen in it, then the light on it while all of that is in the cache."""

from __future__ import annotations

from typing import Any

import numpy as np

from guide_graphics.raster.kernel import Int, fast_kernel, fast_kernel_part, kernel
from guide_graphics.raster.scene import F32, I32
from guide_graphics.raster.software.cover import BLOCK, FAR, PAD, PLANES, clear, cover
from guide_graphics.raster.software.layout import ATTRIBUTES, MAX_LEVELS, U32
from guide_graphics.raster.software.shade import level_wanted, lit, packed
from guide_graphics.raster.software.simd import (
    LANES,
    bits,
    columns,
    cycles,
    f32x8,
    fma,
    i32x8,
    lane,
    lanes,
    load,
    lowest_bit,
    most,
    pointer,
    select,
    store,
    take,
)
from guide_graphics.raster.software.triangles import I64


@kernel
def draw_tiles(
    counters: I64,
    spent: I64,
    tile_bits: Int,
    width: Int,
    height: Int,
    starts: I32,
    items: I32,
    survivors: I32,
    records: I32,
    depths: F32,
    attributes: F32,
    mesh_of: I32,
    depth: I32,
    slots: I32,
    planes: F32,
    numbers: I32,
    surface: F32,
    light_colors: F32,
    ambient: F32,
    levels: I32,
    level_count: I32,
    texels: U32,
    background: I32,
    color: I32,
) -> None:
    """Draw tile after tile into `color`, (height, width), a word for each pixel.

    Args:
        counters: (1,) the next tile.
        spent: (2,) is given the cycles of coverage and of shading.
        tile_bits: a tile is 2 ** tile_bits pixels wide and high.
        width: of the picture.
        height: likewise.
        starts: (tiles + 1,) where each tile's list begins in `items`.
        items: survivors, tile by tile.
        survivors: see `triangles`.
        records: of the vertices, see `vertices`.
        depths: the same memory as floats.
        attributes: (n, ATTRIBUTES).
        mesh_of: of each triangle.
        depth: memory for a tile, flat; slots, planes and numbers likewise, see `cover`.
        surface: what is known of each mesh, and on: see `shade.lit`.
        background: (height,) its colour in each row.
    """
    counters_, starts_, items_ = pointer(counters), pointer(starts), pointer(items)
    survivors_, records_, depths_ = pointer(survivors), pointer(records), pointer(depths)
    attributes_, mesh_of_, depth_ = pointer(attributes), pointer(mesh_of), pointer(depth)
    slots_, planes_, numbers_ = pointer(slots), pointer(planes), pointer(numbers)
    surface_, light_colors_, ambient_ = pointer(surface), pointer(light_colors), pointer(ambient)
    levels_, level_count_, texels_ = pointer(levels), pointer(level_count), pointer(texels)
    background_, color_ = pointer(background), pointer(color)
    lights, tiles, pixels = len(light_colors), len(starts) - 1, len(depth)
    tiles_x = (width + (1 << tile_bits) - 1) >> tile_bits
    stride = (1 << tile_bits) + PAD
    covering = shading = 0
    while True:
        tile = take(counters_, 0, 1)
        if tile >= tiles:
            break
        began = cycles()
        x0, y0 = (tile % tiles_x) << tile_bits, (tile // tiles_x) << tile_bits
        wide, high = min(1 << tile_bits, width - x0), min(1 << tile_bits, height - y0)
        clear(depth_, slots_, pixels)
        count = 0
        for at in range(starts_[tile], starts_[tile + 1]):
            count = cover(
                survivors_, items_[at], records_, depths_, attributes_, x0, y0, wide, high, stride,
                depth_, slots_, count, planes_, numbers_,
            )  # fmt: skip
        middle = cycles()
        _shade_tile(
            x0, y0, wide, high, stride, width, slots_, planes_, numbers_, count, mesh_of_, surface_,
            lights, light_colors_, ambient_, levels_, level_count_, texels_, background_, color_,
        )  # fmt: skip
        covering += middle - began
        shading += cycles() - middle
    spent[0], spent[1] = covering, shading


@fast_kernel
def _shade_tile(
    x0: Int,
    y0: Int,
    wide: Int,
    high: Int,
    stride: Int,
    width: Int,
    slots: Any,
    planes: Any,
    numbers: Any,
    count: Int,
    mesh_of: Any,
    surface: Any,
    lights: Int,
    light_colors: Any,
    ambient: Any,
    levels: Any,
    level_count: Any,
    texels: Any,
    background: Any,
    color: Any,
) -> None:
    """Colours of a tile's pixels, from the triangle that each shows."""
    for slot in range(count):  # from here on only the mesh matters, and the side
        number = numbers[slot]
        numbers[slot] = mesh_of[number >> 1]
        if number & 1:
            for k in range(3):
                for part in range(3):
                    planes[PLANES * slot + ATTRIBUTES * part + 1 + k] *= np.float32(-1)
    corner_x, corner_y = x0 & -BLOCK, y0 & -BLOCK
    none = i32x8(0)
    along = lanes()
    for y in range(high):
        row_color = i32x8(background[y0 + y])
        place = (y0 + y) * width + x0
        for x in range(0, wide, LANES):
            shown = load(slots, y * stride + x)
            hit = bits(shown >= none)
            word = row_color
            if hit != 0:
                first = lane(shown, lowest_bit(hit))
                if hit == 255 and bits(shown == i32x8(first)) == 255:
                    word = _uniform(
                        first, numbers[first], x0 + x, y0 + y, corner_x, corner_y, planes, surface, lights,
                        light_colors, ambient, levels, level_count, texels,
                    )  # fmt: skip
                else:
                    word = _mixed(
                        shown, hit, row_color, x0 + x, y0 + y, corner_x, corner_y, planes, numbers,
                        surface, lights, light_colors, ambient, levels, level_count, texels,
                    )  # fmt: skip
            if x + LANES <= wide:
                store(color, place + x, word)
            else:
                for k in range(wide - x):
                    color[place + x + k] = lane(word, k)


@fast_kernel_part
def _uniform(
    slot: Int, mesh: Int, column: Int, row: Int, corner_x: Int, corner_y: Int, planes: Any,
    surface: Any, lights: Int, light_colors: Any, ambient: Any, levels: Any, level_count: Any, texels: Any,
) -> Any:  # fmt: skip
    """Eight pixels of one triangle."""
    at = PLANES * slot
    size = 3 * MAX_LEVELS * mesh
    along = lanes()
    x, y = f32x8(along + i32x8(column - corner_x)), f32x8(row - corner_y)
    one_w = _at(planes, slot, 0, x, y)
    w = f32x8(1) / one_w
    u, v = _at(planes, slot, 4, x, y) * w, _at(planes, slot, 5, x, y) * w
    lod = f32x8(0)
    if level_count[mesh] > 1:
        lod = level_wanted(
            u, v, w, f32x8(planes[at]), f32x8(planes[at + 4]), f32x8(planes[at + 5]),
            f32x8(planes[at + 8]), f32x8(planes[at + 12]), f32x8(planes[at + 13]),
            f32x8(levels[size + 1]), f32x8(levels[size + 2]),
        )  # fmt: skip
    red, green, blue = lit(
        one_w, _at(planes, slot, 1, x, y), _at(planes, slot, 2, x, y), _at(planes, slot, 3, x, y), u, v, lod, mesh,
        f32x8(along + i32x8(column)), f32x8(row), surface, lights, light_colors, ambient, levels,
        level_count, texels,
    )  # fmt: skip
    return packed(red, green, blue)


@fast_kernel_part
def _at(p: Any, slot: Int, k: Int, x: Any, y: Any) -> Any:
    at = PLANES * slot + k
    up = fma(f32x8(p[at + ATTRIBUTES]), y, f32x8(p[at + 2 * ATTRIBUTES]))
    return fma(f32x8(p[at]), x, up)


@fast_kernel_part
def _mixed(
    shown: Any, hit: Int, row_color: Any, column: Int, row: Int, corner_x: Int, corner_y: Int,
    planes: Any, numbers: Any, surface: Any, lights: Int, light_colors: Any, ambient: Any, levels: Any,
    level_count: Any, texels: Any,
) -> Any:  # fmt: skip
    """Eight pixels of any triangles: their planes as rows, turned into columns."""
    x, y = np.float32(column - corner_x), f32x8(row - corner_y)
    slot = most(shown, i32x8(0))
    r0, t0, a0 = _planes(planes, lane(slot, 0), x, y)
    r1, t1, a1 = _planes(planes, lane(slot, 1), x + np.float32(1), y)
    r2, t2, a2 = _planes(planes, lane(slot, 2), x + np.float32(2), y)
    r3, t3, a3 = _planes(planes, lane(slot, 3), x + np.float32(3), y)
    r4, t4, a4 = _planes(planes, lane(slot, 4), x + np.float32(4), y)
    r5, t5, a5 = _planes(planes, lane(slot, 5), x + np.float32(5), y)
    r6, t6, a6 = _planes(planes, lane(slot, 6), x + np.float32(6), y)
    r7, t7, a7 = _planes(planes, lane(slot, 7), x + np.float32(7), y)
    one_w, nx, ny, nz, uw, vw, _0, _1 = columns(a0, a1, a2, a3, a4, a5, a6, a7)
    w = f32x8(1) / one_w
    u, v = uw * w, vw * w
    dw, _2, _3, _4, du, dv, _5, _6 = columns(r0, r1, r2, r3, r4, r5, r6, r7)
    ew, _7, _8, _9, eu, ev, _a, _b = columns(t0, t1, t2, t3, t4, t5, t6, t7)

    word = row_color
    along = lanes()
    left = hit
    while left != 0:  # mesh by mesh; mostly there is one
        mesh = numbers[lane(shown, lowest_bit(left))]
        mine = 0
        rest = left
        while rest != 0:
            k = lowest_bit(rest)
            rest &= rest - 1
            if numbers[lane(shown, k)] == mesh:
                mine |= 1 << k
        left &= ~mine
        lod = f32x8(0)
        size = 3 * MAX_LEVELS * mesh
        if level_count[mesh] > 1:
            lod = level_wanted(
                u, v, w, dw, du, dv, ew, eu, ev,
                f32x8(levels[size + 1]), f32x8(levels[size + 2]),
            )  # fmt: skip
        red, green, blue = lit(
            one_w, nx, ny, nz, u, v, lod, mesh, f32x8(along + i32x8(column)), f32x8(row), surface, lights,
            light_colors, ambient, levels, level_count, texels,
        )  # fmt: skip
        chosen = (i32x8(mine) >> along & i32x8(1)) != i32x8(0)
        word = select(chosen, packed(red, green, blue), word)
    return word


@fast_kernel_part
def _planes(planes: Any, slot: Int, x: Any, y: Any) -> Any:
    at = slot * PLANES
    right, up = load(planes, at), load(planes, at + ATTRIBUTES)
    return right, up, fma(right, f32x8(x), fma(up, y, load(planes, at + 2 * ATTRIBUTES)))


@kernel
def read_tiles(
    counters: I64,
    tile_bits: Int,
    width: Int,
    height: Int,
    starts: I32,
    items: I32,
    survivors: I32,
    records: I32,
    depths: F32,
    attributes: F32,
    depth: I32,
    slots: I32,
    planes: F32,
    numbers: I32,
    out_depth: F32,
    out_ids: I32,
) -> None:
    """Cover tile after tile as `draw_tiles` does, and write depths and triangles' numbers."""
    counters_, starts_, items_ = pointer(counters), pointer(starts), pointer(items)
    survivors_, records_, depths_ = pointer(survivors), pointer(records), pointer(depths)
    attributes_, depth_, slots_ = pointer(attributes), pointer(depth), pointer(slots)
    planes_, numbers_ = pointer(planes), pointer(numbers)
    tiles, pixels = len(starts) - 1, len(depth)
    tiles_x = (width + (1 << tile_bits) - 1) >> tile_bits
    stride = (1 << tile_bits) + PAD
    while True:
        tile = take(counters_, 0, 1)
        if tile >= tiles:
            return
        x0, y0 = (tile % tiles_x) << tile_bits, (tile // tiles_x) << tile_bits
        wide, high = min(1 << tile_bits, width - x0), min(1 << tile_bits, height - y0)
        clear(depth_, slots_, pixels)
        count = 0
        for at in range(starts_[tile], starts_[tile + 1]):
            count = cover(
                survivors_, items_[at], records_, depths_, attributes_, x0, y0, wide, high, stride,
                depth_, slots_, count, planes_, numbers_,
            )  # fmt: skip
        for y in range(high):
            for x in range(wide):
                slot = slots[y * stride + x]
                out_ids[y0 + y, x0 + x] = numbers[slot] >> 1 if slot >= 0 else -1
                out_depth[y0 + y, x0 + x] = np.float32(depth[y * stride + x]) / np.float32(FAR)
