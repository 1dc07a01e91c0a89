"""A tile at a time: what is seen in it, then the light on it while all of that is in the cache."""

from __future__ import annotations

from typing import Any

import numpy as np

from guide_graphics.raster.kernel import (
    Flag,
    Int,
    fast_kernel_part,
    fast_kernel_step,
    kernel,
    kernel_part,
    kernel_step,
)
from guide_graphics.raster.scene import F32, I32, U8
from guide_graphics.raster.software.bundles import Canvas, Drawn, Lighting, Memory, Tile
from guide_graphics.raster.software.cover import (
    ANCHOR,
    FAR,
    PAD,
    PLANES,
    REACH,
    clear,
    corners_of,
    cover,
    depth_at,
    edges_at,
    edges_of,
    keep,
    limited,
    planes_of,
    slopes_of,
)
from guide_graphics.raster.software.layout import ATTRIBUTES, MAX_LEVELS
from guide_graphics.raster.software.shade import ALPHA, SURFACE, level_wanted, lit, packed
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
    least,
    load,
    lowest_bit,
    most,
    pointer,
    prefetch,
    select,
    store,
    take,
)
from guide_graphics.raster.software.triangles import I64

AHEAD = 16  # survivors by which what they need is fetched before they are drawn


@kernel_part
def _pointers(drawn: Drawn) -> Drawn:
    return Drawn(
        pointer(drawn.survivors),
        pointer(drawn.records),
        pointer(drawn.attributes),
        pointer(drawn.mesh_of),
    )


@kernel_part
def _own(memory: Memory) -> Memory:
    return Memory(
        pointer(memory.depth),
        pointer(memory.slots),
        pointer(memory.planes),
        pointer(memory.numbers),
        pointer(memory.colors),
        len(memory.numbers) - 1,
    )


@kernel_part
def _tile(number: Int, tile_bits: Int, width: Int, height: Int) -> Tile:
    """The tile of that number; they go row by row."""
    side = 1 << tile_bits
    tiles_x = (width + side - 1) >> tile_bits
    x0, y0 = (number % tiles_x) << tile_bits, (number // tiles_x) << tile_bits
    wide, high = min(side, width - x0), min(side, height - y0)
    return Tile(x0, y0, wide, high, side + PAD, width - 1, height - 1)


@kernel
def draw_tiles(
    counter: I64,
    spent: I64,
    tile_bits: Int,
    width: Int,
    height: Int,
    starts: I32,
    items: I32,
    layered: Flag,
    samples: Int,
    drawn: Drawn,
    memory: Memory,
    light: Lighting,
    background: I32,
    color: I32,
) -> None:
    """Draw tile after tile into `color`, (height, width), a word for each pixel.

    Args:
        counter: (1,) the next tile; all threads share it.
        spent: (2,) is given the cycles of coverage and of shading.
        tile_bits: a tile is 2 ** tile_bits pixels wide and high.
        width: of the picture.
        height: likewise.
        starts: (tiles + 1,) where each tile's list begins in `items`.
        items: survivors, tile by tile.
        layered: whether some mesh is to be blended over what is behind it.
        samples: of a pixel, 1 or 4.
        drawn: the triangles, as arrays; memory and light likewise.
        memory: this thread's.
        light: all that shading looks up.
        background: (height,) its colour in each row.
        color: the picture.
    """
    numbers, starts_, items_ = pointer(counter), pointer(starts), pointer(items)
    tiles, pixels = len(starts) - 1, len(memory.depth) // samples
    here, own, words = _pointers(drawn), _own(memory), pointer(color)
    rows = pointer(background)
    lit_by = Lighting(
        pointer(light.surface),
        pointer(light.light_colors),
        pointer(light.ambient),
        pointer(light.levels),
        pointer(light.level_count),
        pointer(light.texels),
        pointer(light.shadow),
        light.lights,
        light.shadow_size,
        light.shadow_light,
        light.shadow_bias,
    )
    covering = shading = 0
    while True:
        number = take(numbers, 0, 1)
        if number >= tiles:
            break
        began = cycles()
        tile = _tile(number, tile_bits, width, height)
        clear(own, samples * pixels)
        count = 0
        last = starts_[number + 1]
        for at in range(starts_[number], last):
            if at + AHEAD < last:
                _fetch(here, items_[at + AHEAD])
            if not (layered and _is_layer(here, items_[at], lit_by)):
                count = cover(here, items_[at], tile, own, count, samples, pixels)
        middle = cycles()
        _settle(own, count, here.mesh_of)
        for sample in range(samples):
            onto = _canvas(tile, own, words, width, sample, samples, pixels)
            _shade(tile, own, sample, pixels, lit_by, rows, onto)
        if layered:
            for sample in range(samples):
                onto = _canvas(tile, own, words, width, sample, samples, pixels)
                for at in range(starts_[number], starts_[number + 1]):
                    if _is_layer(here, items_[at], lit_by):
                        _blend(here, items_[at], tile, own, sample, samples, pixels, lit_by, onto)
        if samples > 1:
            _resolve(tile, own, pixels, width, words)
        covering += middle - began
        shading += cycles() - middle
    spent[0], spent[1] = covering, shading


@kernel_part
def _fetch(drawn: Drawn, item: Int) -> None:
    """Begin to fetch what `cover` will read of a survivor."""
    a, b, c = corners_of(drawn, item)
    prefetch(drawn.records, 4 * a)
    prefetch(drawn.records, 4 * b)
    prefetch(drawn.records, 4 * c)
    prefetch(drawn.attributes, ATTRIBUTES * a)
    prefetch(drawn.attributes, ATTRIBUTES * b)
    prefetch(drawn.attributes, ATTRIBUTES * c)


@kernel_part
def _canvas(
    tile: Tile, memory: Memory, picture: Any, width: Int, sample: Int, samples: Int, pixels: Int
) -> Canvas:
    """Where the colours of a sample go: into the picture itself, if there is only one."""
    if samples == 1:
        return Canvas(picture, tile.y0 * width + tile.x0, width, tile.wide)
    return Canvas(memory.colors, sample * pixels, tile.stride, tile.stride)


@kernel_part
def _settle(memory: Memory, count: Int, mesh_of: Any) -> None:
    """From here on only a triangle's mesh matters, and its side: normals turn to the eye."""
    for slot in range(count):
        number = memory.numbers[slot]
        memory.numbers[slot] = mesh_of[number >> 1]
        if number & 1:
            for k in range(1, 4):
                for part in range(3):
                    at = PLANES * slot + ATTRIBUTES * part + k
                    memory.planes[at] = -memory.planes[at]


@kernel_part
def _is_layer(drawn: Drawn, item: Int, light: Lighting) -> Flag:
    mesh = drawn.mesh_of[drawn.survivors[4 * item + 3] >> 1]
    return light.surface[SURFACE * mesh + ALPHA] < 1


@fast_kernel_step
def _shade(
    tile: Tile,
    memory: Memory,
    sample: Int,
    pixels: Int,
    light: Lighting,
    background: Any,
    onto: Canvas,
) -> None:
    """Colours of a tile, from the triangle that a sample of each pixel shows."""
    none = i32x8(0)
    for y in range(tile.high):
        behind = i32x8(background[tile.y0 + y])
        place = onto.first + y * onto.stride
        for x in range(0, tile.wide, LANES):
            at = y * tile.stride + x
            shown = load(memory.slots, sample * pixels + at)
            if sample > 0 and bits(shown == load(memory.slots, at)) == 255:
                # Light is computed once a pixel, at its centre: only at edges samples differ
                store(onto.words, place + x, load(memory.colors, at))
                continue
            hit = bits(shown >= none)
            word = behind
            if hit != 0:
                first = lane(shown, lowest_bit(hit))
                if hit == 255 and bits(shown == i32x8(first)) == 255:
                    word = _uniform(tile, x, y, memory, first, light)
                else:
                    word = _various(tile, x, y, memory, shown, hit, behind, light)
            _put(onto.words, place + x, word, onto.room - x)


@kernel_part
def _put(color: Any, at: Int, word: Any, room: Int) -> None:
    """Write eight pixels, or as many as the picture has."""
    if room >= LANES:
        store(color, at, word)
    else:
        for k in range(room):
            color[at + k] = lane(word, k)


@fast_kernel_part
def _uniform(tile: Tile, x: Int, y: Int, memory: Memory, slot: Int, light: Lighting) -> Any:
    """Eight pixels of one triangle."""
    red, green, blue = _lit_by_planes(
        tile, x, y, memory.planes, PLANES * slot, memory.numbers[slot], light
    )
    return packed(red, green, blue)


@fast_kernel_part
def _lit_by_planes(
    tile: Tile, x: Int, y: Int, planes: Any, at: Int, mesh: Int, light: Lighting
) -> Any:
    """Colours of eight pixels of one triangle, whose planes are `at`."""
    along = lanes()
    column, row = f32x8(along + i32x8(tile.x0 + x)), f32x8(tile.y0 + y)
    fx, fy = column - f32x8(planes[at + ANCHOR]), row - f32x8(planes[at + ANCHOR + 1])
    one_w = _linear(planes, at, fx, fy)
    w = f32x8(1) / one_w
    nx, ny = _linear(planes, at + 1, fx, fy), _linear(planes, at + 2, fx, fy)
    nz = _linear(planes, at + 3, fx, fy)
    uw, vw = _linear(planes, at + 4, fx, fy), _linear(planes, at + 5, fx, fy)
    u, v = uw * w, vw * w
    lod = f32x8(0)
    if light.level_count[mesh] > 1:
        up = at + ATTRIBUTES
        size = 3 * MAX_LEVELS * mesh
        lod = level_wanted(
            u, v, one_w, uw, vw, f32x8(planes[at]), f32x8(planes[at + 4]), f32x8(planes[at + 5]),
            f32x8(planes[up]), f32x8(planes[up + 4]), f32x8(planes[up + 5]), tile.y0 + y,
            f32x8(light.levels[size + 1]), f32x8(light.levels[size + 2]),
        )  # fmt: skip
    return lit(w, nx, ny, nz, u, v, lod, mesh, column, row, light)


@fast_kernel_part
def _linear(planes: Any, at: Int, x: Any, y: Any) -> Any:
    up = fma(f32x8(planes[at + ATTRIBUTES]), y, f32x8(planes[at + 2 * ATTRIBUTES]))
    return fma(f32x8(planes[at]), x, up)


@fast_kernel_part
def _various(
    tile: Tile, x: Int, y: Int, memory: Memory, shown: Any, hit: Int, behind: Any, light: Lighting
) -> Any:
    """Eight pixels of any triangles: their planes as rows, turned into columns."""
    planes, numbers = memory.planes, memory.numbers
    fx, fy = np.float32(tile.x0 + x), np.float32(tile.y0 + y)
    slot = most(shown, i32x8(0))
    r0, t0, a0 = _row(planes, lane(slot, 0), fx, fy)
    r1, t1, a1 = _row(planes, lane(slot, 1), fx + np.float32(1), fy)
    r2, t2, a2 = _row(planes, lane(slot, 2), fx + np.float32(2), fy)
    r3, t3, a3 = _row(planes, lane(slot, 3), fx + np.float32(3), fy)
    r4, t4, a4 = _row(planes, lane(slot, 4), fx + np.float32(4), fy)
    r5, t5, a5 = _row(planes, lane(slot, 5), fx + np.float32(5), fy)
    r6, t6, a6 = _row(planes, lane(slot, 6), fx + np.float32(6), fy)
    r7, t7, a7 = _row(planes, lane(slot, 7), fx + np.float32(7), fy)
    at = columns(a0, a1, a2, a3, a4, a5, a6, a7)
    right, up = columns(r0, r1, r2, r3, r4, r5, r6, r7), columns(t0, t1, t2, t3, t4, t5, t6, t7)
    w = f32x8(1) / at[0]
    u, v = at[4] * w, at[5] * w

    word = behind
    along = lanes()
    column, row = f32x8(along + i32x8(tile.x0 + x)), f32x8(tile.y0 + y)
    left = hit
    while left != 0:  # mesh by mesh; mostly there is one
        mesh = numbers[lane(shown, lowest_bit(left))]
        mine, rest = 0, left
        while rest != 0:
            k = lowest_bit(rest)
            rest &= rest - 1
            if numbers[lane(shown, k)] == mesh:
                mine |= 1 << k
        left &= ~mine
        lod = f32x8(0)
        if light.level_count[mesh] > 1:
            size = 3 * MAX_LEVELS * mesh
            lod = level_wanted(
                u, v, at[0], at[4], at[5], right[0], right[4], right[5], up[0], up[4], up[5],
                tile.y0 + y, f32x8(light.levels[size + 1]), f32x8(light.levels[size + 2]),
            )  # fmt: skip
        red, green, blue = lit(w, at[1], at[2], at[3], u, v, lod, mesh, column, row, light)
        chosen = (i32x8(mine) >> along & i32x8(1)) != i32x8(0)
        word = select(chosen, packed(red, green, blue), word)
    return word


@fast_kernel_part
def _row(planes: Any, slot: Int, x: Any, y: Any) -> Any:
    at = slot * PLANES
    right, up = load(planes, at), load(planes, at + ATTRIBUTES)
    dx, dy = f32x8(x - planes[at + ANCHOR]), f32x8(y - planes[at + ANCHOR + 1])
    return right, up, fma(right, dx, fma(up, dy, load(planes, at + 2 * ATTRIBUTES)))


@kernel_step
def _blend(
    drawn: Drawn,
    item: Int,
    tile: Tile,
    memory: Memory,
    sample: Int,
    samples: Int,
    pixels: Int,
    light: Lighting,
    onto: Canvas,
) -> None:
    """Blend a survivor over what a tile shows already; depth and triangles stay."""
    e = edges_of(drawn, item, tile, REACH if samples > 1 else 0)
    if e.left > e.right or e.bottom > e.top:
        return
    t = slopes_of(drawn, item, tile)
    ea0, eb0, ec0 = edges_at(e, sample, samples)
    z = depth_at(t, sample, samples)
    number = drawn.survivors[4 * item + 3]
    mesh = drawn.mesh_of[number >> 1]
    right, up, value = planes_of(drawn, item, t)
    along = lanes()
    if number & 1:
        normals = (along > i32x8(0)) & (along < i32x8(4))
        right, up = select(normals, -right, right), select(normals, -up, up)
        value = select(normals, -value, value)
    at = PLANES * memory.layer
    keep(memory.planes, at, right, up, value, t)
    zero, gain = i32x8(0), f32x8(t.z_right)
    alpha = f32x8(light.surface[SURFACE * mesh + ALPHA])
    further_a, further_b = i32x8(LANES * e.dya), i32x8(LANES * e.dyb)
    further_c = i32x8(LANES * e.dyc)
    first = e.left & -LANES  # aligned, so that no group reaches into the next tile
    for y in range(e.bottom, e.top + 1):
        row = np.float32(tile.y0 + y - t.anchor_y)
        dx, dy = first - e.left, y - e.bottom
        ea = i32x8(limited(ea0 + 256 * (dy * e.dxa - dx * e.dya))) - along * i32x8(e.dya)
        eb = i32x8(limited(eb0 + 256 * (dy * e.dxb - dx * e.dyb))) - along * i32x8(e.dyb)
        ec = i32x8(limited(ec0 + 256 * (dy * e.dxc - dx * e.dyc))) - along * i32x8(e.dyc)
        for x in range(first, e.right + 1, LANES):
            inside = (ea | eb | ec) >= zero
            ea, eb, ec = ea - further_a, eb - further_b, ec - further_c
            column = f32x8(along + i32x8(tile.x0 + x - t.anchor_x))
            deep = i32x8(fma(column, gain, f32x8(z + row * t.z_up)))
            behind = load(memory.depth, sample * pixels + y * tile.stride + x)
            wins = inside & (deep < behind)
            if bits(wins) == 0:
                continue
            red, green, blue = _lit_by_planes(tile, x, y, memory.planes, at, mesh, light)
            place, room = onto.first + y * onto.stride + x, onto.room - x
            before = load(onto.words, place) if room >= LANES else _few(onto.words, place, room)
            word = select(wins, _mixed(red, green, blue, before, alpha), before)
            _put(onto.words, place, word, room)


@kernel_part
def _resolve(tile: Tile, memory: Memory, pixels: Int, width: Int, color: Any) -> None:
    """The mean of four samples, channel by channel, rounded half to even."""
    for y in range(tile.high):
        for x in range(0, tile.wide, LANES):
            at = y * tile.stride + x
            a, b = load(memory.colors, at), load(memory.colors, pixels + at)
            c, d = load(memory.colors, 2 * pixels + at), load(memory.colors, 3 * pixels + at)
            word = (
                _mean(a, b, c, d, i32x8(0))
                | _mean(a, b, c, d, i32x8(8))
                | _mean(a, b, c, d, i32x8(16))
                | i32x8(-(1 << 24))
            )
            _put(color, (tile.y0 + y) * width + tile.x0 + x, word, tile.wide - x)


@kernel_part
def _mean(a: Any, b: Any, c: Any, d: Any, shift: Any) -> Any:
    byte, one, two = i32x8(255), i32x8(1), i32x8(2)
    total = (a >> shift & byte) + (b >> shift & byte) + (c >> shift & byte) + (d >> shift & byte)
    return (total + one + (total >> two & one)) >> two << shift


@kernel_part
def _few(color: Any, at: Int, count: Int) -> Any:
    """The first pixels of eight; those behind the picture's edge are the last one again."""
    word = i32x8(color[at + count - 1])
    along = lanes()
    for k in range(count):
        word = select(along == i32x8(k), i32x8(color[at + k]), word)
    return word


@fast_kernel_part
def _mixed(red: Any, green: Any, blue: Any, before: Any, alpha: Any) -> Any:
    """Channel by channel new * alpha + before * (1 - alpha), rounded to bytes once."""
    return (
        _channel(red, before, alpha, i32x8(0))
        | _channel(green, before, alpha, i32x8(8))
        | _channel(blue, before, alpha, i32x8(16))
        | i32x8(-(1 << 24))
    )


@fast_kernel_part
def _channel(new: Any, before: Any, alpha: Any, shift: Any) -> Any:
    clamped = least(most(new, f32x8(0)), f32x8(1))
    behind = f32x8(before >> shift & i32x8(255))
    mixed = fma(fma(clamped, f32x8(255), -behind), alpha, behind)
    return i32x8(mixed + f32x8(0.5)) << shift


@kernel
def read_tiles(
    counter: I64,
    tile_bits: Int,
    width: Int,
    height: Int,
    starts: I32,
    items: I32,
    layers: U8,
    drawn: Drawn,
    memory: Memory,
    depth: F32,
    ids: I32,
) -> None:
    """Cover tiles as `draw_tiles` does, whose arguments these are, and write what is seen.

    Meshes with a 1 in `layers` (meshes,) are left out. `depth` (height, width) becomes 0 to 1,
    `ids` the numbers of triangles; it has no size where nobody wants them.
    """
    numbers, starts_, items_ = pointer(counter), pointer(starts), pointer(items)
    tiles, pixels = len(starts) - 1, len(memory.depth)
    here, own, left_out = _pointers(drawn), _own(memory), pointer(layers)
    depths, triangles, wanted = pointer(depth), pointer(ids), ids.size > 0
    while True:
        number = take(numbers, 0, 1)
        if number >= tiles:
            return
        tile = _tile(number, tile_bits, width, height)
        clear(own, pixels)
        count = 0
        for at in range(starts_[number], starts_[number + 1]):
            if left_out[here.mesh_of[here.survivors[4 * items_[at] + 3] >> 1]] == 0:
                count = cover(here, items_[at], tile, own, count, 1, pixels)
        for y in range(tile.high):
            place = (tile.y0 + y) * width + tile.x0
            for x in range(tile.wide):
                at = y * tile.stride + x
                depths[place + x] = np.float32(own.depth[at]) / np.float32(FAR)
                if wanted:
                    slot = own.slots[at]
                    triangles[place + x] = own.numbers[slot] >> 1 if slot >= 0 else -1
