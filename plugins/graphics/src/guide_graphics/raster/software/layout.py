"""A scene as the few flat arrays that the kernels walk through, made once per scene."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TypeAlias

import numpy as np
import numpy.typing as npt

from guide.errors import GuideError
from guide_graphics.raster.scene import F32, I32, Mesh, Scene
from guide_graphics.raster.software.simd import LANES
from guide_graphics.raster.textures import mip_levels

U32: TypeAlias = npt.NDArray[np.uint32]

ATTRIBUTES = 8  # of a vertex: 1, normal, u, v, 0, 0: one vector
CHUNK_VERTICES = 2048
MAX_LEVELS = 16


@dataclass(frozen=True, eq=False)
class Layout:
    """All meshes behind one another, each beginning at a multiple of eight vertices.

    Positions lie component by component, since eight vertices are transformed at once; attributes
    vertex by vertex, since a triangle needs all of three vertices.
    """

    vertices: int  # with those that fill up
    positions: F32  # (3, vertices)
    attributes: F32  # (vertices, ATTRIBUTES)
    triangles: int
    corners: I32  # (3, triangles, filled up to a multiple of eight), indices into vertices
    mesh_of: I32  # (triangles,) the mesh each belongs to
    chunks: I32  # (k, 3): a mesh, the first of some of its vertices, the one behind the last
    double_sided: npt.NDArray[np.uint8]  # (meshes,) 0 or 1
    levels: I32  # (meshes, MAX_LEVELS, 3): first texel, width and height of each mip level
    level_count: I32  # (meshes,)
    # All textures: red, green, blue and 255 in a word, red lowest. Each row ends with its first
    # texel once more: a texel and the one to its right are one load, across the seam too.
    texels: U32


def lay_out(scene: Scene) -> Layout:
    """Lay a scene out for the kernels."""
    firsts, total = [], 0
    for mesh in scene.meshes:
        firsts.append(total)
        total += -(-len(mesh.positions) // LANES) * LANES
    positions = np.zeros((3, total), np.float32)
    attributes = np.zeros((total, ATTRIBUTES), np.float32)
    for first, mesh in zip(firsts, scene.meshes, strict=True):
        own = slice(first, first + len(mesh.positions))
        positions[:, own] = mesh.positions.T
        attributes[own, 0] = 1
        attributes[own, 1:4] = mesh.normals
        attributes[own, 4:6] = mesh.uv
    levels, level_count, texels = _textures(scene)
    materials = [mesh.material for mesh in scene.meshes]
    for mesh in scene.meshes:  # checked when it was made; its arrays may have been written to since
        if mesh.triangles.size and not (
            mesh.triangles.min() >= 0 and mesh.triangles.max() < len(mesh.positions)
        ):
            raise GuideError("a mesh's triangles were changed and name vertices that are not there")
    count = scene.triangle_count
    corners = np.zeros((3, -(-count // LANES) * LANES), np.int32)  # the last ones have no area
    at = 0
    for first, mesh in zip(firsts, scene.meshes, strict=True):
        corners[:, at : at + len(mesh.triangles)] = mesh.triangles.T + first
        at += len(mesh.triangles)
    return Layout(
        vertices=total,
        positions=positions,
        attributes=attributes,
        triangles=count,
        corners=corners,
        mesh_of=np.repeat(
            np.arange(len(scene.meshes), dtype=np.int32),
            [len(mesh.triangles) for mesh in scene.meshes],
        ),
        chunks=_chunks(scene.meshes, firsts),
        double_sided=np.array([scene.materials[m].double_sided for m in materials], np.uint8),
        levels=levels[materials],
        level_count=level_count[materials],
        texels=texels,
    )


def _chunks(meshes: Sequence[Mesh], firsts: list[int]) -> I32:
    rows = [
        (index, first + start, first + min(start + CHUNK_VERTICES, len(mesh.positions)))
        for index, (first, mesh) in enumerate(zip(firsts, meshes, strict=True))
        for start in range(0, len(mesh.positions), CHUNK_VERTICES)
    ]
    return np.array(rows, np.int32).reshape(-1, 3)


def _textures(scene: Scene) -> tuple[I32, I32, U32]:
    """Levels (materials, MAX_LEVELS, 3), how many each material has, and all texels."""
    levels = np.zeros((len(scene.materials), MAX_LEVELS, 3), np.int32)
    counts = np.ones(len(scene.materials), np.int32)
    pieces: list[U32] = [np.empty(0, np.uint32)]
    total = 0
    for index, material in enumerate(scene.materials):
        texture = material.texture
        if texture is None:
            texture = np.full((1, 1, 3), 255, np.uint8)
        pyramid = mip_levels(texture) if material.mipmaps else [texture]
        counts[index] = len(pyramid)
        for number, level in enumerate(pyramid):
            height, width = level.shape[:2]
            levels[index, number] = total, width, height
            seam = np.concatenate([level, level[:, :1]], axis=1).reshape(-1, 3)
            red, green, blue = seam.astype(np.uint32).T
            pieces.append((red | green << 8 | blue << 16 | np.uint32(255 << 24)).astype(np.uint32))
            total += height * (width + 1)
    return levels, counts, np.concatenate(pieces)
