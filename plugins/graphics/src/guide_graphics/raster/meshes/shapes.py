"""Meshes that are computed: a disc to stand on, a grid, a ball, a knot, a field of crates."""

from __future__ import annotations

import math
from itertools import combinations

import numpy as np

from guide.errors import GuideError
from guide_graphics.raster.meshes.geometry import F64, I64
from guide_graphics.raster.scene import Mesh

MAX_TRIANGLES = 10_000_000  # more than 1 GB while they are made

_X, _Y, _Z = np.eye(3)
_SIDES = (
    (_X, _Y),
    (-_Z, _Y),
    (-_X, _Y),
    (_Z, _Y),
    (_X, -_Z),
    (_X, _Z),
)  # right and up, from outside


def disc(radius: float = 4.0, sides: int = 64, material: int = 0) -> Mesh:
    """A round ground at y = 0, facing up; its texture covers the square around it once."""
    angle = np.arange(sides) * (2 * np.pi / sides)
    rim = np.stack([np.sin(angle), np.zeros(sides), np.cos(angle)], axis=1)
    unit = np.concatenate([np.zeros((1, 3)), rim])
    outer = np.arange(1, sides + 1)
    return Mesh(
        positions=(unit * radius).astype(np.float32),
        normals=np.tile(np.array([0, 1, 0], np.float32), (sides + 1, 1)),
        uv=(unit[:, [0, 2]] * [0.5, -0.5] + 0.5).astype(np.float32),
        triangles=np.stack([np.zeros(sides, int), outer, np.roll(outer, -1)], 1).astype(np.int32),
        material=material,
    )


def grid(columns: int, rows: int, material: int = 0) -> Mesh:
    """The square from -1 to 1 in x and y at z = 0, facing +z, in columns x rows x 2 triangles."""
    y, x = np.mgrid[0 : rows + 1, 0 : columns + 1].reshape(2, -1)
    uv = np.stack([x / columns, y / rows], axis=1)
    index = np.arange((rows + 1) * (columns + 1)).reshape(rows + 1, columns + 1)
    a, b = index[:-1, :-1].ravel(), index[:-1, 1:].ravel()
    c, d = index[1:, :-1].ravel(), index[1:, 1:].ravel()
    return Mesh(
        positions=np.column_stack([uv * 2 - 1, np.zeros(len(uv))]).astype(np.float32),
        normals=np.tile(np.array([0, 0, 1], np.float32), (len(uv), 1)),
        uv=uv.astype(np.float32),
        triangles=np.stack([np.stack([a, b, d], 1), np.stack([a, d, c], 1)], 1)
        .reshape(-1, 3)
        .astype(np.int32),
        material=material,
    )


def icosphere(subdivisions: int = 4, material: int = 0) -> Mesh:
    """A ball 2 wide, its centre 1 above y = 0, of 20 * 4 ** subdivisions triangles.

    An icosahedron whose every triangle is cut into four, again and again, and pushed out to the
    sphere: they are of nearly one size. Texture coordinates go once around in u, from the south
    pole up in v; vertices are shared, so the texture runs backwards in one strip of triangles.

    Raises:
        GuideError: for less than 0, or more than `MAX_TRIANGLES`.
    """
    _check("an icosphere", 20 * 4 ** min(subdivisions, 100), subdivisions >= 0)
    golden = (1 + math.sqrt(5)) / 2
    rectangle = np.array([(-1, golden, 0), (1, golden, 0), (-1, -golden, 0), (1, -golden, 0)])
    points = np.concatenate([np.roll(rectangle, turn, axis=1) for turn in range(3)])
    distance = np.linalg.norm(points[:, None] - points, axis=2).round(6)
    near = distance == 2  # the edge of this icosahedron
    triangles = np.array([t for t in combinations(range(12), 3) if near[np.ix_(t, t)].sum() == 6])
    inward = np.linalg.det(points[triangles]) < 0
    triangles[inward] = triangles[inward, ::-1]
    for _ in range(subdivisions):
        points, triangles = _quartered(points, triangles)
    normals = points / np.linalg.norm(points, axis=1, keepdims=True)
    x, y, z = normals.T
    return Mesh(
        positions=normals + np.array([0, 1, 0]),
        normals=normals,
        uv=np.column_stack(
            [np.arctan2(x, z) / (2 * np.pi) + 0.5, np.arcsin(y.clip(-1, 1)) / np.pi + 0.5]
        ),
        triangles=triangles,
        material=material,
    )


def _quartered(points: F64, triangles: I64) -> tuple[F64, I64]:
    """Every triangle cut into four at the middles of its edges, moved to the unit sphere."""
    edges = np.sort(triangles[:, [[0, 1], [1, 2], [2, 0]]].reshape(-1, 2), axis=1)
    ends, index = np.unique(edges[:, 0] * len(points) + edges[:, 1], return_inverse=True)
    middles = (points[ends // len(points)] + points[ends % len(points)]) / 2
    ab, bc, ca = (index.reshape(-1, 3) + len(points)).T
    a, b, c = triangles.T
    quarters = np.stack([a, ab, ca, ab, b, bc, ca, bc, c, ab, bc, ca], axis=1).reshape(-1, 3)
    points = np.concatenate([points, middles])
    return points / np.linalg.norm(points, axis=1, keepdims=True), quarters


def torus_knot(
    p: int = 2, q: int = 3, segments: int = 256, sides: int = 24, material: int = 0
) -> Mesh:
    """A tube along the (p, q) torus knot, its longest side 2, of 2 * segments * sides triangles.

    The knot winds p times around the axis of a torus while it winds q times around its tube
    (K. Murasugi, "Knot Theory and Its Applications", 1996, chapter 7). Texture coordinates go
    along the knot in u and once around the tube in v, in squares as nearly as they come out whole.

    Raises:
        GuideError: when p and q have a common divisor, which makes no single knot, there are less
            than three segments or sides, or more than `MAX_TRIANGLES`.
    """
    _check("a torus knot", 2 * segments * sides, min(segments, sides) >= 3)
    if math.gcd(p, q) != 1:
        raise GuideError(f"({p}, {q}) is no single knot", "take two without a common divisor")
    thickness = 0.4
    t, around = (np.linspace(0, 2 * np.pi, n + 1)[:, None] for n in (segments, sides))
    t[-1] = around[-1] = 0  # the last is the first, to the bit
    ring = np.hstack([np.cos(p * t), 0 * t, np.sin(p * t)])  # from the axis, where the knot is
    up = np.array([0.0, 1.0, 0.0])
    out = np.cos(q * t) * ring + np.sin(q * t) * up  # the torus's normal
    ahead = (2 + np.cos(q * t)) * p * np.hstack([-np.sin(p * t), 0 * t, np.cos(p * t)])
    ahead += q * (np.cos(q * t) * up - np.sin(q * t) * ring)
    aside = np.cross(ahead, out)
    aside /= np.linalg.norm(aside, axis=1, keepdims=True)
    normals = np.cos(around) * out[:, None] + np.sin(around) * aside[:, None]
    positions = (2 * ring + out)[:, None] + thickness * normals
    length = np.linalg.norm(ahead[:-1], axis=1).mean()
    flat = grid(sides, segments)
    uv = flat.uv[:, ::-1] * (max(round(length / thickness), 1), 1)
    return Mesh(
        positions.reshape(-1, 3), normals.reshape(-1, 3), uv, flat.triangles, material
    ).fitted()


def crate_field(crates: int = 8, cells: int = 1, material: int = 0) -> Mesh:
    """A square of boxes on a ground 2 wide, each turned and sized a little differently.

    Every face of a box has vertices of its own, one normal and the whole texture. There are
    12 * crates**2 * cells**2 triangles and two of the ground: `crate_field(41, 7)` has 988,430.
    The same arguments give the same field.

    Args:
        crates: how many there are along each side of the square.
        cells: into how many squares each side of a face is cut.
        material: index of its material.

    Raises:
        GuideError: for less than one, or more than `MAX_TRIANGLES`.
    """
    _check("a crate field", 12 * crates**2 * cells**2 + 2, min(crates, cells) >= 1)
    index = np.arange(crates**2)
    share = index * (math.sqrt(5) - 1) / 2 % 1  # evenly spread over 0 to 1, never repeated
    step = 2 / crates
    half = step * (0.18 + 0.12 * share)  # of a box's width
    z, x = (np.stack(np.divmod(index, crates)) + 0.5) * step - 1
    points, normals = (_turned(vectors, share * np.pi) for vectors in _cube(cells))
    points = points * half[:, None, None, None] + np.stack([x, half, z], axis=1)[:, None, None]

    face = grid(cells, cells)
    faces = 6 * crates**2
    first = np.arange(faces)[:, None, None] * len(face.uv)
    corners = np.array([(-1, 0, 1), (1, 0, 1), (1, 0, -1), (-1, 0, -1)])
    ground = np.array([(0, 1, 2), (0, 2, 3)]) + faces * len(face.uv)
    return Mesh(
        positions=np.concatenate([points.reshape(-1, 3), corners]),
        normals=np.concatenate([normals.reshape(-1, 3), np.tile((0, 1, 0), (4, 1))]),
        uv=np.concatenate([np.tile(face.uv, (faces, 1)), corners[:, [0, 2]] * (crates / 2)]),
        triangles=np.concatenate([(face.triangles + first).reshape(-1, 3), ground]),
        material=material,
    )


def _cube(cells: int) -> tuple[F64, F64]:
    """Vertices and normals (6, n, 3) of a cube from -1 to 1, every face a grid."""
    steps = np.arange(-cells, cells + 1, 2) / cells  # the same numbers from either end
    x, y = np.tile(steps, cells + 1)[:, None], np.repeat(steps, cells + 1)[:, None]
    right, up = np.array(_SIDES).transpose(1, 0, 2)[:, :, None]
    out = np.cross(right, up)
    points = x * right + y * up + out
    return points, np.broadcast_to(out, points.shape)


def _turned(vectors: F64, angles: F64) -> F64:
    """Vectors (6, n, 3) turned about y by every angle: (angles, 6, n, 3)."""
    # Not a matrix product: that may round a corner that two faces share in two ways
    x, y, z = np.moveaxis(vectors, -1, 0)
    cosine, sine = np.cos(angles)[:, None, None], np.sin(angles)[:, None, None]
    return np.stack([x * cosine + z * sine, y + 0 * cosine, z * cosine - x * sine], axis=-1)


def _check(name: str, triangles: int, enough: bool) -> None:
    if not enough:
        raise GuideError(f"{name} of so few parts is none", "ask for more")
    if triangles > MAX_TRIANGLES:
        raise GuideError(
            f"{name} of {triangles} triangles is too large", f"take {MAX_TRIANGLES} at most"
        )
