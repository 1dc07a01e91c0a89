"""Meshes and textures as OpenGL holds them."""

from __future__ import annotations

from dataclasses import dataclass
from typing import TypeVar

import moderngl
import numpy as np

from guide.errors import GuideError
from guide_graphics.raster.scene import U8, Material, Mesh, Scene
from guide_graphics.raster.textures import mip_levels

T = TypeVar("T", moderngl.Texture, moderngl.Buffer, moderngl.VertexArray)


@dataclass(frozen=True, eq=False)
class Model:
    """One mesh."""

    index: int  # in the scene's meshes: where it stands changes from frame to frame
    draw: moderngl.VertexArray  # for the program that lights it
    cast: moderngl.VertexArray  # for the one that writes depth only
    material: Material
    texture: moderngl.Texture
    last_level: int
    first_id: int


class Models:
    """What of a scene is handed to OpenGL once.

    Args:
        context: it has to be current, here and for `release`.
        scene: its meshes and materials.
        program: lights the meshes.
        caster: draws their depth.

    Raises:
        GuideError: when a texture is larger than the driver takes.
    """

    def __init__(
        self,
        context: moderngl.Context,
        scene: Scene,
        program: moderngl.Program,
        caster: moderngl.Program,
    ) -> None:
        self._context = context
        self._owned: list[moderngl.Texture | moderngl.Buffer | moderngl.VertexArray] = []
        self._all: list[Model] = []
        textures = [self._texture(material) for material in scene.materials]
        first_id = 0
        for index, mesh in enumerate(scene.meshes):
            if not len(mesh.triangles):
                continue
            draw, cast = self._arrays(mesh, program, caster)
            texture, last_level = textures[mesh.material]
            material = scene.materials[mesh.material]
            self._all.append(Model(index, draw, cast, material, texture, last_level, first_id))
            first_id += len(mesh.triangles)
        self.opaque = [model for model in self._all if model.material.alpha == 1]
        self.blended = [model for model in self._all if model.material.alpha < 1]

    def release(self) -> None:
        """Give it all back."""
        for thing in reversed(self._owned):
            thing.release()

    def _own(self, thing: T) -> T:
        self._owned.append(thing)
        return thing

    def _texture(self, material: Material) -> tuple[moderngl.Texture, int]:
        """A texture and the number of its last level."""
        texels = material.texture
        if texels is None:
            texels = np.full((1, 1, 3), 255, np.uint8)
        levels = mip_levels(texels) if material.mipmaps else [texels]
        height, width = texels.shape[:2]
        most = self._context.info["GL_MAX_TEXTURE_SIZE"]
        if max(width, height) > most:
            raise GuideError(
                f"a texture of {width}x{height} texels is too large for this driver",
                f"make it {most} at most along each side",
            )
        texture = self._own(self._context.texture((width, height), 3, _bytes(texels), alignment=1))
        if len(levels) > 1:
            texture.build_mipmaps()  # for the space: what it puts there is written over
        for level, smaller in enumerate(levels[1:], 1):
            texture.write(_bytes(smaller), level=level, alignment=1)
        smaller_filter = moderngl.LINEAR_MIPMAP_LINEAR if len(levels) > 1 else moderngl.LINEAR
        texture.filter = smaller_filter, moderngl.LINEAR
        return texture, len(levels) - 1

    def _arrays(
        self, mesh: Mesh, program: moderngl.Program, caster: moderngl.Program
    ) -> tuple[moderngl.VertexArray, moderngl.VertexArray]:
        context = self._context
        vertices = np.hstack([mesh.positions, mesh.normals, mesh.uv]).astype(np.float32)
        content = self._own(context.buffer(vertices.tobytes()))
        index = self._own(context.buffer(mesh.triangles.tobytes()))
        lit = (content, "3f 3f 2f", "in_position", "in_normal", "in_uv")
        # A shader that is being edited may leave out an input
        draw = context.vertex_array(program, [lit], index, skip_errors=True)
        cast = context.vertex_array(caster, [(content, "3f 20x", "in_position")], index)
        return self._own(draw), self._own(cast)


def _bytes(texels: U8) -> bytes:
    return np.ascontiguousarray(texels).tobytes()
