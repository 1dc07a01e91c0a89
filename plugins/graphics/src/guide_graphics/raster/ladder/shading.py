"""Shading: every visible pixel once, after visibility is settled (deferred shading).

From the number of the triangle follow its three vertices; from their clip coordinates the
pixel's place in the triangle; from that normal, texture coordinate and position; then light.
Helpers take whole arrays and an index, not slices: a slice counts references, pixel by pixel.
"""

from __future__ import annotations

from typing import TypeAlias

import numpy as np

from guide_graphics.raster.kernel import Int, Real, fast_kernel, fast_kernel_part
from guide_graphics.raster.scene import F32, I32, U8

Vec3: TypeAlias = tuple[Real, Real, Real]
Plane: TypeAlias = tuple[Real, Real, Real]

# float32 throughout: a literal would make numba compute in float64
ZERO, HALF, ONE, WHITE = np.float32(0), np.float32(0.5), np.float32(1), np.float32(255)


@fast_kernel
def shade_rows(
    row0: Int,
    row1: Int,
    ids: I32,
    clip: F32,
    vertices: F32,
    triangles: I32,
    mesh_of: I32,
    surface: F32,
    texture_of: I32,
    texels: U8,
    eyes: F32,
    lights: F32,
    light_colors: F32,
    ambient: F32,
    background: U8,
    color: U8,
) -> None:
    """Write the colours of the rows row0 to row1 - 1 to `color` (h, w, 4).

    `lights` are (meshes * lights, 3): directions in the space of each mesh.
    """
    height, width = ids.shape
    for line in range(row0, row1):
        y = (2 * line + 1) / height - 1
        last = -1
        for column in range(width):
            number = ids[line, column]
            if number < 0:
                for k in range(4):
                    color[line, column, k] = background[line, k]
                continue
            if number != last:  # neighbours along a row mostly show the same triangle
                last = number
                a, b, c = triangles[number, 0], triangles[number, 1], triangles[number, 2]
                mesh = mesh_of[number]
                plane_a, plane_b, plane_c, side = place(clip, a, b, c)
            x = (2 * column + 1) / width - 1
            fa, fb, fc = barycentric(plane_a, plane_b, plane_c, x, y)
            position = mix(vertices, a, b, c, fa, fb, fc, 0)
            normal = mix(vertices, a, b, c, fa, fb, fc, 3)
            u = fa * vertices[a, 6] + fb * vertices[b, 6] + fc * vertices[c, 6]
            v = fa * vertices[a, 7] + fb * vertices[b, 7] + fc * vertices[c, 7]
            albedo = sample(texels, texture_of, surface, mesh, u, v)
            normal = unit((normal[0] * side, normal[1] * side, normal[2] * side))
            eye = row(eyes, mesh)
            view = unit((eye[0] - position[0], eye[1] - position[1], eye[2] - position[2]))
            lit = times(albedo, (ambient[0], ambient[1], ambient[2]))
            for i in range(len(light_colors)):
                lit = add(
                    lit,
                    lit_by(
                        row(lights, mesh * len(light_colors) + i),
                        row(light_colors, i),
                        normal,
                        view,
                        albedo,
                        surface[mesh, 3],
                        surface[mesh, 4],
                    ),
                )
            color[line, column, 0] = to_byte(lit[0])
            color[line, column, 1] = to_byte(lit[1])
            color[line, column, 2] = to_byte(lit[2])
            color[line, column, 3] = 255


@fast_kernel_part
def place(clip: F32, a: Int, b: Int, c: Int) -> tuple[Plane, Plane, Plane, Real]:
    """The linear functions whose ratios are a point's perspective-correct barycentrics.

    With the vertices as P = (x, y, w) in clip space, the plane through the eye and the edge
    (Pb, Pc) is Pb x Pc; its product with (x, y, 1) is how far the pixel lies from it (Olano and
    Greer, "Triangle Scan Conversion using 2D Homogeneous Coordinates", 1997). No division by w
    happens, so a vertex behind the eye is as good as any. In float64: the products of small
    triangles cancel.

    Returns the three planes, and 1 where the triangle shows its front, -1 where its back.
    """
    pa = (np.float64(clip[a, 0]), np.float64(clip[a, 1]), np.float64(clip[a, 3]))
    pb = (np.float64(clip[b, 0]), np.float64(clip[b, 1]), np.float64(clip[b, 3]))
    pc = (np.float64(clip[c, 0]), np.float64(clip[c, 1]), np.float64(clip[c, 3]))
    plane_a = cross(pb, pc)
    volume = plane_a[0] * pa[0] + plane_a[1] * pa[1] + plane_a[2] * pa[2]
    return plane_a, cross(pc, pa), cross(pa, pb), ONE if volume > 0 else -ONE


@fast_kernel_part
def cross(p: Vec3, q: Vec3) -> Vec3:
    """The cross product."""
    return (p[1] * q[2] - p[2] * q[1], p[2] * q[0] - p[0] * q[2], p[0] * q[1] - p[1] * q[0])


@fast_kernel_part
def barycentric(plane_a: Plane, plane_b: Plane, plane_c: Plane, x: Real, y: Real) -> Vec3:
    """The vertices' shares at the pixel (x, y), which runs from -1 to 1 across the picture."""
    wa = plane_a[0] * x + plane_a[1] * y + plane_a[2]
    wb = plane_b[0] * x + plane_b[1] * y + plane_b[2]
    wc = plane_c[0] * x + plane_c[1] * y + plane_c[2]
    scale = 1 / (wa + wb + wc)
    return np.float32(wa * scale), np.float32(wb * scale), np.float32(wc * scale)


@fast_kernel_part
def mix(vertices: F32, a: Int, b: Int, c: Int, fa: Real, fb: Real, fc: Real, first: Int) -> Vec3:
    """Three attributes, from column `first` on, in the shares fa, fb, fc of the vertices."""
    return (
        fa * vertices[a, first] + fb * vertices[b, first] + fc * vertices[c, first],
        fa * vertices[a, first + 1] + fb * vertices[b, first + 1] + fc * vertices[c, first + 1],
        fa * vertices[a, first + 2] + fb * vertices[b, first + 2] + fc * vertices[c, first + 2],
    )


@fast_kernel_part
def sample(texels: U8, texture_of: I32, surface: F32, mesh: Int, u: Real, v: Real) -> Vec3:
    """The surface's own colour at (u, v): its texture, bilinear and repeating, times its tint."""
    first, width, height = texture_of[mesh, 0], texture_of[mesh, 1], texture_of[mesh, 2]
    x = (u - np.floor(u)) * np.float32(width) - HALF
    y = (v - np.floor(v)) * np.float32(height) - HALF
    fx, fy = np.floor(x), np.floor(y)
    sx, sy = x - fx, y - fy
    left, bottom = np.int32(fx), np.int32(fy)
    # x is -1/2 at least and width - 1/2 at most
    right = left + 1 if left + 1 < width else 0
    top = bottom + 1 if bottom + 1 < height else 0
    left = left if left >= 0 else width - 1
    bottom = bottom if bottom >= 0 else height - 1
    low, high = first + bottom * width, first + top * width
    return (
        surface[mesh, 0]
        * blend(texels, low + left, low + right, high + left, high + right, 0, sx, sy),
        surface[mesh, 1]
        * blend(texels, low + left, low + right, high + left, high + right, 1, sx, sy),
        surface[mesh, 2]
        * blend(texels, low + left, low + right, high + left, high + right, 2, sx, sy),
    )


@fast_kernel_part
def blend(
    texels: U8, p00: Int, p01: Int, p10: Int, p11: Int, channel: Int, sx: Real, sy: Real
) -> Real:
    """One channel of four neighbouring texels, weighted by the place between them; 0 to 1."""
    low = np.float32(texels[p00, channel])
    low += (np.float32(texels[p01, channel]) - low) * sx
    high = np.float32(texels[p10, channel])
    high += (np.float32(texels[p11, channel]) - high) * sx
    return (low + (high - low) * sy) * (ONE / WHITE)


@fast_kernel_part
def lit_by(
    direction: Vec3,
    light: Vec3,
    normal: Vec3,
    view: Vec3,
    albedo: Vec3,
    specular: Real,
    shininess: Real,
) -> Vec3:
    """What one light adds: Lambert's share of the surface's colour, and Blinn-Phong's highlight."""
    diffuse = max(dot(normal, direction), ZERO)
    highlight = ZERO
    if specular * diffuse > ZERO:  # a matt or a dark surface is spared the power
        along = max(dot(normal, unit(add(direction, view))), ZERO)
        # The highlight fades with the diffuse light: none is left on the dark side's edge
        highlight = specular * along**shininess * diffuse
    return (
        light[0] * (albedo[0] * diffuse + highlight),
        light[1] * (albedo[1] * diffuse + highlight),
        light[2] * (albedo[2] * diffuse + highlight),
    )


@fast_kernel_part
def row(table: F32, index: Int) -> Vec3:
    """The first three numbers of a row."""
    return table[index, 0], table[index, 1], table[index, 2]


@fast_kernel_part
def add(p: Vec3, q: Vec3) -> Vec3:
    """The sum."""
    return p[0] + q[0], p[1] + q[1], p[2] + q[2]


@fast_kernel_part
def times(p: Vec3, q: Vec3) -> Vec3:
    """The product, number by number."""
    return p[0] * q[0], p[1] * q[1], p[2] * q[2]


@fast_kernel_part
def dot(p: Vec3, q: Vec3) -> Real:
    """The scalar product."""
    return p[0] * q[0] + p[1] * q[1] + p[2] * q[2]


@fast_kernel_part
def unit(p: Vec3) -> Vec3:
    """A vector of length 1 in the same direction."""
    scale = ONE / max(np.sqrt(dot(p, p)), np.float32(1e-20))
    return p[0] * scale, p[1] * scale, p[2] * scale


@fast_kernel_part
def to_byte(value: Real) -> Int:
    """0 to 1 as 0 to 255, rounded; what lies outside is clamped."""
    return np.uint8(min(max(value, ZERO), ONE) * WHITE + HALF)
