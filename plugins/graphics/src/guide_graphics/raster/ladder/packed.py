"""A scene as the few flat arrays that the kernels walk through."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any

import numpy as np
import numpy.typing as npt

from guide_graphics.raster.scene import F32, I32, U8, Scene


@dataclass(frozen=True, eq=False)
class Packed:
    """All meshes behind one another; made once per scene, not per frame.

    A vertex is 8 floats side by side: x y z, normal, u v. One line of the cache holds two, and
    shading a pixel reads three.
    """

    vertices: F32  # (n, 8)
    triangles: I32  # (m, 3), indices into vertices
    mesh_of: I32  # (m,) the mesh a triangle belongs to
    first_vertex: I32  # (meshes + 1,)
    double_sided: npt.NDArray[np.bool_]  # (meshes,)
    surface: F32  # (meshes, 5): red, green, blue, specular, shininess
    texture_of: I32  # (meshes, 3): first texel, width, height
    texels: U8  # (k, 4): all textures, row by row


def pack(scene: Scene) -> Packed:
    """Lay a scene out for the kernels."""
    sizes = [len(mesh.positions) for mesh in scene.meshes]
    first = np.cumsum([0, *sizes]).astype(np.int32)
    textures: list[U8] = []
    places: dict[int, tuple[int, int, int]] = {}
    for index, material in enumerate(scene.materials):
        texture = material.texture
        if texture is None:
            texture = np.full((1, 1, 3), 255, np.uint8)
        height, width = texture.shape[:2]
        places[index] = (sum(len(t) for t in textures), width, height)
        texels = np.full((height * width, 4), 255, np.uint8)  # 4 bytes: one load a texel
        texels[:, :3] = texture.reshape(-1, 3)
        textures.append(texels)
    chosen = [scene.materials[mesh.material] for mesh in scene.meshes]
    return Packed(
        vertices=_rows(
            [np.hstack([mesh.positions, mesh.normals, mesh.uv]) for mesh in scene.meshes], 8
        ).astype(np.float32),
        triangles=_rows(
            [mesh.triangles + start for mesh, start in zip(scene.meshes, first, strict=False)], 3
        ).astype(np.int32),
        mesh_of=np.repeat(
            np.arange(len(scene.meshes), dtype=np.int32),
            [len(mesh.triangles) for mesh in scene.meshes],
        ),
        first_vertex=first,
        double_sided=np.array([material.double_sided for material in chosen], np.bool_),
        surface=np.array(
            [(*material.color, material.specular, material.shininess) for material in chosen],
            np.float32,
        ).reshape(-1, 5),
        texture_of=np.array([places[mesh.material] for mesh in scene.meshes], np.int32).reshape(
            -1, 3
        ),
        texels=np.concatenate(textures) if textures else np.empty((0, 4), np.uint8),
    )


def _rows(tables: list[npt.NDArray[Any]], columns: int) -> npt.NDArray[Any]:
    return np.concatenate(tables) if tables else np.empty((0, columns))
