"""Simple meshes: a disc to stand on, a square, a grid."""

from __future__ import annotations

import numpy as np

from guide_graphics.raster.scene import Mesh


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
