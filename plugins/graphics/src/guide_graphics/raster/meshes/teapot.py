"""The Utah teapot: Martin Newell's 32 Bezier patches of 1975, tessellated to order.

His numbers have z up and a quarter (or a half) of every part: the rest is its mirror image. A
round part is listed by the rings of its control net, from the top down; the surface is
    S(u, v) = sum over i, j of B_j(v) B_i(u) P[j, i],   B_i(u) = binomial(3, i) u^i (1-u)^(3-i).
Published in F. Crow, "The Origins of the Teapot", IEEE CG&A 7(1), 1987.
"""

from __future__ import annotations

import math
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from guide.errors import GuideError
from guide_graphics.raster.scene import Mesh

MAX_TRIANGLES = 10_000_000  # more than 1 GB while it is made

F64: TypeAlias = npt.NDArray[np.float64]

# A ring: its radius, how far its inner control points stand out (about 0.56 of the radius makes
# a cubic nearly a circle; Newell rounded), its height.
_ROUND: list[list[tuple[float, float, float]]] = [
    [(1.4, 0.784, 2.4), (1.3375, 0.749, 2.53125), (1.4375, 0.805, 2.53125), (1.5, 0.84, 2.4)],
    [(1.5, 0.84, 2.4), (1.75, 0.98, 1.875), (2.0, 1.12, 1.35), (2.0, 1.12, 0.9)],
    [(2.0, 1.12, 0.9), (2.0, 1.12, 0.45), (1.5, 0.84, 0.225), (1.5, 0.84, 0.15)],
    [(1.5, 0.84, 0.15), (1.5, 0.84, 0.075), (1.425, 0.798, 0.0), (0.0, 0.0, 0.0)],
    [(0.0, 0.0, 3.15), (0.8, 0.45, 3.15), (0.0, 0.0, 2.85), (0.2, 0.112, 2.7)],
    [(0.2, 0.112, 2.7), (0.4, 0.224, 2.55), (1.3, 0.728, 2.55), (1.3, 0.728, 2.4)],
]

# A tube: for each row of control points x and z of its near and its far side, and half its width.
_TUBES: list[list[tuple[float, float, float, float, float]]] = [
    [  # handle, upper half
        (-1.6, 2.025, -1.5, 2.25, 0.3),
        (-2.3, 2.025, -2.5, 2.25, 0.3),
        (-2.7, 2.025, -3.0, 2.25, 0.3),
        (-2.7, 1.8, -3.0, 1.8, 0.3),
    ],
    [  # handle, lower half
        (-2.7, 1.8, -3.0, 1.8, 0.3),
        (-2.7, 1.575, -3.0, 1.35, 0.3),
        (-2.5, 1.125, -2.65, 0.9375, 0.3),
        (-2.0, 0.9, -1.9, 0.6, 0.3),
    ],
    [  # spout
        (1.7, 1.425, 1.7, 0.6, 0.66),
        (2.6, 1.425, 3.1, 0.825, 0.66),
        (2.3, 2.1, 2.4, 2.025, 0.25),
        (2.7, 2.4, 3.3, 2.4, 0.25),
    ],
    [  # the spout's lip, which turns inward
        (2.7, 2.4, 3.3, 2.4, 0.25),
        (2.8, 2.475, 3.525, 2.49375, 0.25),
        (2.9, 2.475, 3.45, 2.5125, 0.15),
        (2.8, 2.4, 3.2, 2.4, 0.15),
    ],
]

_QUADRANTS = ((1, 1), (-1, 1), (-1, -1), (1, -1))
_HALVES = ((1, 1), (1, -1))
_TEXTURE_SIZE = 3.0  # model units that one repeat of the texture spans


def teapot(triangles: int = 10_000, material: int = 0) -> Mesh:
    """The teapot with about as many triangles as asked for, 2 wide, standing on y = 0.

    It is smooth: normals are those of the surface itself, not of the triangles. Seams between
    patches hold bit-identical vertices. As published, the spout is open and a gap runs round the
    lid, through which the inside shows: give it a double-sided material.

    Args:
        triangles: how many to aim at; every patch gets the same grid, so the mesh has the
            nearest number such a grid makes (within 5 % from 1,000 on), 112 at least.
        material: index of its material.

    Raises:
        GuideError: for more than `MAX_TRIANGLES`.
    """
    if triangles > MAX_TRIANGLES:
        raise GuideError(
            f"a teapot of {triangles} triangles is too large", f"take {MAX_TRIANGLES} at most"
        )
    around, along = _grid(triangles)
    parts = []
    length = 0.0
    for rings in _ROUND:
        patch = np.array([[(r, 0, z), (r, -k, z), (k, -r, z), (0, -r, z)] for r, k, z in rings])
        parts += _mirrored(patch, around, along, _QUADRANTS, 1.0, length)
        length += _length(patch)
    for rows in _TUBES:
        patch = np.array([[(a, 0, b), (a, -w, b), (c, -w, d), (c, 0, d)] for a, b, c, d, w in rows])
        parts += _mirrored(patch, around, along, _HALVES, 0.35, length)
        length += _length(patch)

    offsets = np.cumsum([0] + [len(points) for points, *_ in parts[:-1]])
    return Mesh(
        positions=_y_up(np.concatenate([part[0] for part in parts])),
        normals=_y_up(np.concatenate([part[1] for part in parts])),
        uv=np.concatenate([part[2] for part in parts]).astype(np.float32),
        triangles=np.concatenate(
            [part[3] + offset for part, offset in zip(parts, offsets, strict=True)]
        ).astype(np.int32),
        material=material,
    ).fitted()


def _grid(triangles: int) -> tuple[int, int]:
    """Cells across and along every patch, so that the mesh has about `triangles`."""
    # 32 patches of 2 * across * along, less one row each where 8 of them meet in a pole
    best = (math.inf, 1, 1)
    for across in range(2, 2 + math.isqrt(max(triangles, 64)) // 4):
        along = max(round((triangles / across + 8) / 64), 1)
        if 0.6 <= along / across <= 1.7:
            best = min(best, (abs((64 * along - 8) * across - triangles), across, along))
    return best[1:] if best[0] < math.inf else (2, 1)


def _mirrored(
    patch: F64,
    across: int,
    along: int,
    images: tuple[tuple[int, int], ...],
    width: float,
    v0: float,
) -> list[tuple[F64, F64, F64, npt.NDArray[np.int64]]]:
    """Points, normals, uv and triangles of a patch and of its mirror images."""
    points, normals, grid = _evaluate(patch, across, along)
    cells = _cells(points, across, along)
    parts = []
    for turn, (sx, sy) in enumerate(images):
        sign = np.array([sx, sy, 1])
        odd = sx * sy < 0
        u = turn + 1 - grid[:, 0] if odd else turn + grid[:, 0]  # runs on across the seam
        uv = np.column_stack([u * width, (v0 + grid[:, 1] * _length(patch)) / _TEXTURE_SIZE])
        parts.append((points * sign, normals * sign, uv, cells[:, ::-1] if odd else cells))
    return parts


def _evaluate(patch: F64, across: int, along: int) -> tuple[F64, F64, F64]:
    """Points, unit normals and (u, v) on a grid over one patch, row after row."""
    u, v = np.linspace(0, 1, across + 1), np.linspace(0, 1, along + 1)
    points = np.einsum("vj,ui,jic->vuc", _bernstein(v), _bernstein(u), patch)
    # The Bernstein polynomials sum to 1 but for the last bit; a pole must stay one point
    points = points.round(9)
    # At a pole all of a row is one point and dS/du is zero; the normal's limit is what a step
    # away from the pole has.
    poles = [np.ptp(patch[row].reshape(4, 3), axis=0).max() == 0 for row in (0, 3)]
    inside = np.clip(v, 1e-5 if poles[0] else 0.0, 1 - 1e-5 if poles[1] else 1.0)
    du = np.einsum("vj,ui,jic->vuc", _bernstein(inside), _slope(u), patch)
    dv = np.einsum("vj,ui,jic->vuc", _slope(inside), _bernstein(u), patch)
    normals = np.cross(du, dv)
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    grid = np.stack(np.broadcast_arrays(u[None, :], v[:, None]), axis=2)
    return points.reshape(-1, 3), normals.reshape(-1, 3), grid.reshape(-1, 2)


def _cells(points: F64, across: int, along: int) -> npt.NDArray[np.int64]:
    """Two triangles a cell, front counter-clockwise; none that has two corners in a pole."""
    index = np.arange((across + 1) * (along + 1)).reshape(along + 1, across + 1)
    a, b = index[:-1, :-1].ravel(), index[:-1, 1:].ravel()
    c, d = index[1:, :-1].ravel(), index[1:, 1:].ravel()
    cells = np.stack([np.stack([a, b, d], 1), np.stack([a, d, c], 1)], 1).reshape(-1, 3)
    corners = points[cells]
    flat = (corners == corners[:, [1, 2, 0]]).all(axis=2).any(axis=1)
    return np.ascontiguousarray(cells[~flat])


def _bernstein(t: F64) -> F64:
    s = 1 - t
    return np.stack([s**3, 3 * s**2 * t, 3 * s * t**2, t**3], axis=1)


def _slope(t: F64) -> F64:
    s = 1 - t
    return np.stack([-3 * s**2, 3 * s**2 - 6 * s * t, 6 * s * t - 3 * t**2, 3 * t**2], axis=1)


def _length(patch: F64) -> float:
    """Length of the patch's first profile, for texture coordinates of an even scale."""
    curve = _bernstein(np.linspace(0, 1, 33)) @ patch[:, 0]
    return float(np.linalg.norm(np.diff(curve, axis=0), axis=1).sum())


def _y_up(vectors: F64) -> npt.NDArray[np.float32]:
    turned = np.stack([vectors[:, 0], vectors[:, 2], -vectors[:, 1]], axis=1)
    return (turned + 0.0).astype(np.float32)  # no -0.0: equal points are equal bytes
