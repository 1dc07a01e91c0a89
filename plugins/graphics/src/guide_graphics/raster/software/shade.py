"""Light on eight pixels at once: texture, Lambert, Blinn-Phong.

All is computed in the mesh's own space, where eye and lights arrive already turned. The normal is
left as long as it comes out of the interpolation: lengths enter each product once, at its end.
"""

from __future__ import annotations

from typing import Any

from guide_graphics.raster.kernel import Int, fast_kernel_part
from guide_graphics.raster.scene import MAX_LIGHTS
from guide_graphics.raster.software.bundles import Lighting
from guide_graphics.raster.software.layout import MAX_LEVELS
from guide_graphics.raster.software.simd import (
    as_floats,
    as_ints,
    bits,
    f32x8,
    floor,
    fma,
    gather,
    gather_pairs,
    i32x8,
    lanes,
    least,
    most,
    select,
    sqrt,
)

# Columns of the surface table, one row for each mesh: what a kernel needs to know of it
TO_EYE = 0  # 3 x 3: from a point to the eye, at pixel (0, 0), and what it gains per column and row
COLOR = 9  # 3, over 255, the texture's white
SPECULAR = 12
HALF_SHININESS = 13
ALPHA = 14
FAINT = 15  # squared cosine below which a highlight is less than a quarter of a step of colour
LIGHTS = 16  # MAX_LIGHTS x 3, directions
SHADOW = LIGHTS + 3 * MAX_LIGHTS  # 4 x 3: see `shadowed`
SURFACE = SHADOW + 12


@fast_kernel_part
def lit(
    w: Any, nx: Any, ny: Any, nz: Any, u: Any, v: Any, lod: Any, mesh: Int, column: Any, row: Any,
    light: Lighting,
) -> Any:  # fmt: skip
    """Colours of eight pixels of one mesh, 0 to 1: red, green, blue.

    They are given by their w of clip space, normal (nx, ny, nz) of any length, place in the
    texture (u, v), mip level wanted (lod), mesh, column and row in the picture.
    """
    s, base = light.surface, SURFACE * mesh
    red, green, blue = sampled(u, v, lod, mesh, light)
    red = red * f32x8(s[base + COLOR])
    green = green * f32x8(s[base + COLOR + 1])
    blue = blue * f32x8(s[base + COLOR + 2])

    tiny, zero, one = f32x8(1e-20), f32x8(0), f32x8(1)
    normal_length = one / sqrt(most(nx * nx + ny * ny + nz * nz, tiny))
    ex = _at(s, base + TO_EYE, column, row)
    ey = _at(s, base + TO_EYE + 1, column, row)
    ez = _at(s, base + TO_EYE + 2, column, row)
    eye_length = one / sqrt(most(ex * ex + ey * ey + ez * ez, tiny))
    ex, ey, ez = ex * eye_length, ey * eye_length, ez * eye_length

    total_red, total_green = red * f32x8(light.ambient[0]), green * f32x8(light.ambient[1])
    total_blue = blue * f32x8(light.ambient[2])
    specular, power = f32x8(s[base + SPECULAR]), f32x8(s[base + HALF_SHININESS])
    for k in range(light.lights):
        at = base + LIGHTS + 3 * k
        lx, ly, lz = f32x8(s[at]), f32x8(s[at + 1]), f32x8(s[at + 2])
        diffuse = most((nx * lx + ny * ly + nz * lz) * normal_length, zero)
        if k == light.shadow_light:
            diffuse = diffuse * shadowed(w, mesh, column, row, light)
        highlight = zero
        if s[base + SPECULAR] > 0:
            hx, hy, hz = lx + ex, ly + ey, lz + ez
            along = most((nx * hx + ny * hy + nz * hz) * normal_length, zero)
            square = along * along / most(hx * hx + hy * hy + hz * hz, tiny)
            shines = square > f32x8(s[base + FAINT])
            if bits(shines) != 0:
                shine = specular * exp2(power * log2(square)) * diffuse
                highlight = select(shines, shine, zero)
        total_red = total_red + f32x8(light.light_colors[3 * k]) * (red * diffuse + highlight)
        total_green = total_green + f32x8(light.light_colors[3 * k + 1]) * (
            green * diffuse + highlight
        )
        total_blue = total_blue + f32x8(light.light_colors[3 * k + 2]) * (
            blue * diffuse + highlight
        )
    return total_red, total_green, total_blue


@fast_kernel_part
def _at(s: Any, at: Int, column: Any, row: Any) -> Any:
    """A component of a vector that is linear over the picture: 3 x 3 numbers from `at` on."""
    return fma(column, f32x8(s[at + 3]), fma(row, f32x8(s[at + 6]), f32x8(s[at])))


@fast_kernel_part
def shadowed(w: Any, mesh: Int, column: Any, row: Any, light: Lighting) -> Any:
    """How much of a light arrives, 0 to 1: four texels of the map compared, and blended.

    Where the map is looked up is q = e + w * (d + column * dx + row * dy): the eye's place in it,
    and the pixel's ray. x and y count texels, z is the depth.
    """
    s, at = light.surface, SURFACE * mesh + SHADOW
    size = light.shadow_size
    zero, one, whole = i32x8(0), i32x8(1), f32x8(1)
    qx = fma(w, _at(s, at + 3, column, row), f32x8(s[at]))
    qy = fma(w, _at(s, at + 4, column, row), f32x8(s[at + 1]))
    qz = fma(w, _at(s, at + 5, column, row), f32x8(s[at + 2]))
    low, high = f32x8(-0.5), f32x8(size - 0.5)
    inside = (qx >= low) & (qx <= high) & (qy >= low) & (qy <= high)
    inside = inside & (qz >= f32x8(0)) & (qz <= whole)
    fx, fy = floor(qx), floor(qy)
    sx, sy = qx - fx, qy - fy
    last = i32x8(size - 1)
    left, bottom = i32x8(fx), i32x8(fy)
    right, top = most(least(left + one, last), zero), most(least(bottom + one, last), zero)
    left, bottom = most(least(left, last), zero), most(least(bottom, last), zero)
    deep = qz - f32x8(light.shadow_bias)
    below, above = bottom * i32x8(size), top * i32x8(size)
    c00 = _passes(light.shadow, below + left, deep)
    c01 = _passes(light.shadow, below + right, deep)
    c10 = _passes(light.shadow, above + left, deep)
    c11 = _passes(light.shadow, above + right, deep)
    under, over = fma(c01 - c00, sx, c00), fma(c11 - c10, sx, c10)
    return select(inside, fma(over - under, sy, under), whole)


@fast_kernel_part
def _passes(shadow: Any, at: Any, deep: Any) -> Any:
    return select(deep <= gather(shadow, at), f32x8(1), f32x8(0))


@fast_kernel_part
def packed(red: Any, green: Any, blue: Any) -> Any:
    """0 to 1 as bytes, rounded and clamped, in the words of a picture; alpha is 255."""
    return _byte(red) | _byte(green) << i32x8(8) | _byte(blue) << i32x8(16) | i32x8(-(1 << 24))


@fast_kernel_part
def _byte(value: Any) -> Any:
    clamped = least(most(value, f32x8(0)), f32x8(1))
    return i32x8(fma(clamped, f32x8(255), f32x8(0.5)))


@fast_kernel_part
def sampled(u: Any, v: Any, lod: Any, mesh: Int, light: Lighting) -> Any:
    """The texture at (u, v), 0 to 255: bilinear in a level, blended between two of them."""
    zero, three = f32x8(0), i32x8(3)
    own = 3 * MAX_LEVELS * mesh
    count, levels = light.level_count[mesh], light.levels
    if count == 1 or bits(lod > zero) == 0:
        return bilinear(
            u, v, i32x8(levels[own]), i32x8(levels[own + 1]), i32x8(levels[own + 2]), light.texels
        )
    last = count - 1
    lod = least(most(lod, zero), f32x8(last))
    fine = most(least(i32x8(lod), i32x8(last)), i32x8(0))  # once more, for what is no number
    share = lod - f32x8(fine)
    coarse = least(fine + i32x8(1), i32x8(last))
    r0, g0, b0 = _level(u, v, i32x8(own) + fine * three, light)
    r1, g1, b1 = _level(u, v, i32x8(own) + coarse * three, light)
    return fma(r1 - r0, share, r0), fma(g1 - g0, share, g0), fma(b1 - b0, share, b0)


@fast_kernel_part
def _level(u: Any, v: Any, at: Any, light: Lighting) -> Any:
    width, height = gather(light.levels, at + i32x8(1)), gather(light.levels, at + i32x8(2))
    return bilinear(u, v, gather(light.levels, at), width, height, light.texels)


@fast_kernel_part
def bilinear(u: Any, v: Any, first: Any, width: Any, height: Any, texels: Any) -> Any:
    """Four texels around each place, weighted; the texture repeats."""
    half, zero, one = f32x8(0.5), i32x8(0), i32x8(1)
    x = (u - floor(u)) * f32x8(width) - half
    y = (v - floor(v)) * f32x8(height) - half
    fx, fy = floor(x), floor(y)
    sx, sy = x - fx, y - fy
    left, bottom = i32x8(fx), i32x8(fy)
    # x is -1/2 at least and width - 1/2 at most
    top = bottom + one
    # Where a coordinate is so large that it is none, all of these are below 0
    top = select((top >= zero) & (top < height), top, zero)
    left = select(left >= zero, left, width - one)
    bottom = select(bottom >= zero, bottom, height - one)
    row = width + one
    t00, t01 = gather_pairs(texels, first + bottom * row + left)
    t10, t11 = gather_pairs(texels, first + top * row + left)
    t00, t01, t10, t11 = as_ints(t00), as_ints(t01), as_ints(t10), as_ints(t11)
    return (
        _mixed(t00, t01, t10, t11, i32x8(0), sx, sy),
        _mixed(t00, t01, t10, t11, i32x8(8), sx, sy),
        _mixed(t00, t01, t10, t11, i32x8(16), sx, sy),
    )


@fast_kernel_part
def _mixed(t00: Any, t01: Any, t10: Any, t11: Any, shift: Any, sx: Any, sy: Any) -> Any:
    byte = i32x8(255)
    c00, c01 = f32x8(t00 >> shift & byte), f32x8(t01 >> shift & byte)
    c10, c11 = f32x8(t10 >> shift & byte), f32x8(t11 >> shift & byte)
    low, high = fma(c01 - c00, sx, c00), fma(c11 - c10, sx, c10)
    return fma(high - low, sy, low)


@fast_kernel_part
def log2(x: Any) -> Any:
    """Within 1.1e-5 for finite x > 0, below -126 for smaller ones (minimax, degree 6)."""
    word = as_ints(x)
    exponent = f32x8((word >> i32x8(23)) - i32x8(127))
    m = as_floats(word & i32x8(0x7FFFFF) | i32x8(0x3F800000))
    p = f32x8(-0.03538577)
    p = fma(p, m, f32x8(0.32533935))
    p = fma(p, m, f32x8(-1.2526197))
    p = fma(p, m, f32x8(2.6296007))
    p = fma(p, m, f32x8(-3.3462905))
    p = fma(p, m, f32x8(3.1220407))
    return fma(m - f32x8(1), p, exponent)


@fast_kernel_part
def exp2(x: Any) -> Any:
    """Within 4e-6 of its value for x up to 127; 0 or nearly for x below -126 (degree 4)."""
    x = most(x, f32x8(-126))
    whole = floor(x)
    f = x - whole
    p = f32x8(0.013697644)
    p = fma(p, f, f32x8(0.0516904))
    p = fma(p, f, f32x8(0.24163842))
    p = fma(p, f, f32x8(0.69296613))
    p = fma(p, f, f32x8(1.0000037))
    return as_floats(as_ints(p) + (i32x8(whole) << i32x8(23)))


@fast_kernel_part
def level_wanted(
    u: Any, v: Any, one_w: Any, uw: Any, vw: Any, dw: Any, du: Any, dv: Any, ew: Any, eu: Any,
    ev: Any, row: Int, width: Any, height: Any,
) -> Any:  # fmt: skip
    """The mip level at which a step to the next pixel is about a texel: log2 of that step.

    The step is that to the neighbour in the same 2 x 2 pixels, as OpenGL's drivers take it. From
    column to column 1/w gains dw, u/w (uw) gains du and v/w gains dv; from row to row it is ew, eu
    and ev. The texture is `width` x `height` texels. The first of the eight columns is even.
    """
    one = f32x8(1)
    side = f32x8(i32x8(1) - ((lanes() & i32x8(1)) << i32x8(1)))  # +1 -1 +1 -1 ...
    w = one / fma(dw, side, one_w)
    ux, vx = (fma(du, side, uw) * w - u) * width, (fma(dv, side, vw) * w - v) * height
    side = f32x8(1 - 2 * (row & 1))
    w = one / fma(ew, side, one_w)
    uy, vy = (fma(eu, side, uw) * w - u) * width, (fma(ev, side, vw) * w - v) * height
    return f32x8(0.5) * log2(most(ux * ux + vx * vx, uy * uy + vy * vy))
