"""The shadow map: the opaque meshes' depth as the light sees them."""

from __future__ import annotations

import moderngl
import numpy as np

from guide_graphics.raster.gl import shaders
from guide_graphics.raster.gl.models import Model
from guide_graphics.raster.gl.program import columns, compile_program, set_uniform
from guide_graphics.raster.scene import F32, Scene
from guide_graphics.raster.shadow import light_matrix


class ShadowMap:
    """A texture of depths that a shader compares with, drawn anew for every frame.

    Args:
        context: it has to be current, here and at every call.
    """

    def __init__(self, context: moderngl.Context) -> None:
        self._context = context
        self.caster = compile_program(context, shaders.DEPTH_VERTEX, shaders.DEPTH_FRAGMENT)
        self._resize(1)  # a sampler wants a texture, whether it is asked or not

    def draw(self, scene: Scene, models: list[Model]) -> F32 | None:
        """Draw the map of `scene`; returns its `light_matrix`, None where there is no shadow.

        Both sides of every triangle are drawn: a surface without thickness casts a shadow too.
        """
        if scene.shadow is None:
            return None
        if self._map.width != scene.shadow.size:
            self._target.release()
            self._map.release()
            self._resize(scene.shadow.size)
        matrix = light_matrix(scene.shadow, scene.lights[scene.shadow.light])
        self._target.use()
        self._target.clear(depth=1.0)
        self._context.enable_only(moderngl.DEPTH_TEST)
        for model in models:
            transform = scene.meshes[model.index].transform
            set_uniform(self.caster, "to_clip", columns(matrix.astype(np.float64) @ transform))
            model.cast.render(moderngl.TRIANGLES)
        return matrix

    def use(self, unit: int) -> None:
        """Bind the map to a texture unit."""
        self._map.use(unit)

    def _resize(self, size: int) -> None:
        self._map = self._context.depth_texture((size, size))
        self._map.compare_func = "<="
        self._map.filter = moderngl.LINEAR, moderngl.LINEAR
        self._map.repeat_x = self._map.repeat_y = False
        self._target = self._context.framebuffer(depth_attachment=self._map)
