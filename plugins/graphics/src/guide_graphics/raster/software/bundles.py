"""What goes together through the kernels: a kernel takes arrays and hands on pointers to them."""

from __future__ import annotations

from typing import Any, NamedTuple


class Drawn(NamedTuple):
    """The triangles of a frame."""

    survivors: Any  # (k, 4) int32, see `triangles`
    records: Any  # (n, 4) float32, see `vertices`
    attributes: Any  # (n, ATTRIBUTES) float32
    mesh_of: Any  # (triangles,) int32


class Memory(NamedTuple):
    """What a thread needs for a tile. Of several samples, all pixels' first ones come first."""

    depth: Any  # of each sample, int32, flat
    slots: Any  # which triangle it shows, int32, flat; -1 for none
    planes: Any  # (slots, PLANES) float32, see `cover`
    numbers: Any  # (slots,) int32: of the survivors, as these have it; then of their meshes
    colors: Any  # of each sample, int32, flat; nothing where a pixel has one
    layer: Any  # a slot that no opaque triangle gets


class Tile(NamedTuple):
    """Where a tile lies, in pixels."""

    x0: Any
    y0: Any
    wide: Any  # how much of it lies in the picture
    high: Any
    stride: Any  # from row to row of a thread's memory
    last_x: Any  # of the picture
    last_y: Any


class Canvas(NamedTuple):
    """Where the colours of a tile go."""

    words: Any  # int32, flat
    first: Any  # where the tile's first pixel is
    stride: Any  # from row to row
    room: Any  # columns from the tile's first on that may be written


class Lighting(NamedTuple):
    """All that shading looks up."""

    surface: Any  # (meshes, SURFACE) float32, see `shade`
    light_colors: Any  # (lights, 3) float32
    ambient: Any  # (3,) float32
    levels: Any  # (meshes, MAX_LEVELS, 3) int32, see `layout`
    level_count: Any  # (meshes,) int32
    texels: Any  # uint32
    shadow: Any  # (size, size) float32: depth 0 to 1 of what the light sees
    lights: Any  # how many
    shadow_size: Any
    shadow_light: Any  # the light that has the shadow; -1 for none
    shadow_bias: Any  # of depth 0 to 1


class Edges(NamedTuple):
    """A triangle's box and edges within a tile; see `cover.edges_of`."""

    left: Any  # its box, from the tile's corner
    right: Any
    bottom: Any
    top: Any
    ea: Any  # edge functions at the box's first pixel; edge a lies opposite of corner a
    eb: Any
    ec: Any
    dxa: Any  # what they gain from row to row, / 256
    dxb: Any
    dxc: Any
    dya: Any  # what they lose from column to column, / 256
    dyb: Any
    dyc: Any


class Slopes(NamedTuple):
    """What of a triangle is linear over the picture; see `cover.slopes_of`."""

    z: Any  # depth at the anchor, in 1/FAR, rounding included
    z_right: Any  # what it gains from column to column
    z_up: Any
    b_dx: Any  # what the share of corner b gains from column to column, and so on
    c_dx: Any
    b_dy: Any
    c_dy: Any
    anchor_x: Any  # the pixel of the picture nearest to corner a: what is linear counts from there
    anchor_y: Any
    share_b: Any  # of corner b at the anchor
    share_c: Any
