"""The OpenGL renderer: the scene in buffers, drawn into a framebuffer object and read back."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import moderngl
import numpy as np

from guide.timing import Timeline
from guide_graphics.raster.camera import Camera
from guide_graphics.raster.gl import shaders
from guide_graphics.raster.gl.context import is_software, open_context
from guide_graphics.raster.renderer import Frame, lit_from
from guide_graphics.raster.scene import F32, I32, MAX_LIGHTS, Material, Scene, same_geometry

T = TypeVar("T")


@dataclass(frozen=True, eq=False)
class _Model:
    """A mesh as OpenGL holds it."""

    draw: Any  # moderngl.VertexArray
    material: Material
    texture: Any  # moderngl.Texture
    first_id: int


class GlRenderer:
    """Draws through OpenGL. See `guide_graphics.raster.renderer.Renderer` for what it promises.

    It draws into memory, never to a window: the frame comes back as an array, whatever is to
    become of it. Raises GuideError when no context can be had.
    """

    backend = "opengl"

    def __init__(self, size: tuple[int, int], timeline: Timeline) -> None:
        width, height = self._size = size
        self.timeline = timeline
        self._closed = False
        self._context = open_context()
        self._owned: list[Any] = []  # what OpenGL holds for as long as this renderer lives
        self._loaded: list[Any] = []  # what it holds for the current scene
        name = str(self._context.info["GL_RENDERER"])
        self.description = f"OpenGL on {name}" + (
            ", which draws on the CPU" if is_software(name) else ""
        )
        with self._context as context:
            own = self._own
            self._program = own(context.program(shaders.VERTEX, shaders.FRAGMENT))
            back = own(context.program(shaders.SCREEN_VERTEX, shaders.BACKGROUND_FRAGMENT))
            self._background = own(context.vertex_array(back, []))
            self._rows = own(context.texture((1, height), 4))
            self._colors = own(context.texture(size, 4))
            self._ids = own(context.texture(size, 1, dtype="i4"))
            self._depths = own(context.depth_texture(size))
            self._target = own(context.framebuffer([self._colors, self._ids], self._depths))
        self._scene: Scene | None = None
        self._models: list[_Model] = []
        self._color = np.empty((height, width, 4), np.uint8)

    def render(self, scene: Scene, camera: Camera, t_s: float = 0.0) -> Frame:
        """Draw `scene` as `camera` sees it at time `t_s`."""
        with self._context as context:
            if not same_geometry(self._scene, scene):
                self._load(scene)
            self._scene = scene
            with self.timeline.span("render/draw"):
                self._draw(context, scene, camera)
                context.finish()  # or the wait would be booked on the readback
            with self.timeline.span("render/readback"):
                self._target.read_into(self._color, components=4)
        return Frame(self._color, t_s, depth=self._read_depth, ids=self._read_ids)

    def close(self) -> None:
        """Free what OpenGL holds, and the context; a second call does nothing."""
        if self._closed:
            return
        self._closed = True
        with self._context:
            for thing in reversed(self._owned + self._loaded):
                thing.release()
        self._context.release()

    def _own(self, thing: T) -> T:
        self._owned.append(thing)
        return thing

    def _load(self, scene: Scene) -> None:
        """Hand meshes and textures to OpenGL."""
        for thing in self._loaded:
            thing.release()
        self._loaded.clear()
        self._models.clear()
        context = self._context

        def keep(thing: Any) -> Any:
            self._loaded.append(thing)
            return thing

        textures = []
        for material in scene.materials:
            texels = material.texture
            if texels is None:
                texels = np.full((1, 1, 3), 255, np.uint8)
            height, width = texels.shape[:2]
            data = np.ascontiguousarray(texels).tobytes()
            texture = keep(context.texture((width, height), 3, data, alignment=1))
            texture.filter = moderngl.LINEAR, moderngl.LINEAR
            textures.append(texture)
        first_id = 0
        for mesh in scene.meshes:
            if not len(mesh.triangles):
                continue
            vertices = np.hstack([mesh.positions, mesh.normals, mesh.uv]).astype(np.float32)
            content = keep(context.buffer(vertices.tobytes()))
            index = keep(context.buffer(mesh.triangles.tobytes()))
            layout = (content, "3f 3f 2f", "in_position", "in_normal", "in_uv")
            self._models.append(
                _Model(
                    keep(context.vertex_array(self._program, [layout], index)),
                    scene.materials[mesh.material],
                    textures[mesh.material],
                    first_id,
                )
            )
            first_id += len(mesh.triangles)

    def _draw(self, context: moderngl.Context, scene: Scene, camera: Camera) -> None:
        width, height = self._size
        self._target.use()
        context.viewport = (0, 0, width, height)
        self._target.clear(depth=1.0)
        context.disable(moderngl.DEPTH_TEST | moderngl.CULL_FACE | moderngl.BLEND)
        self._rows.write(scene.background_rows(height).tobytes())
        self._rows.use(0)
        self._background.render(moderngl.TRIANGLES, vertices=3)

        context.enable(moderngl.DEPTH_TEST)
        context.depth_func = "<"
        set_uniform = self._set_uniform
        set_uniform("ambient", np.asarray(scene.ambient, np.float32))
        set_uniform("light_count", len(scene.lights))
        colors = np.zeros((MAX_LIGHTS, 3), np.float32)
        colors[: len(scene.lights)] = [light.color for light in scene.lights] or 0
        set_uniform("light_color", colors)

        view = camera.projection(width / height).astype(np.float64) @ camera.view
        eyes, lights = lit_from(scene, camera)
        drawn = [i for i, mesh in enumerate(scene.meshes) if len(mesh.triangles)]
        for i, model in zip(drawn, self._models, strict=True):
            directions = np.zeros((MAX_LIGHTS, 3), np.float32)
            directions[: len(scene.lights)] = lights[i]
            to_clip = (view @ scene.meshes[i].transform).astype(np.float32)
            set_uniform("to_clip", np.ascontiguousarray(to_clip.T))
            set_uniform("eye", eyes[i])
            set_uniform("light_direction", directions)
            set_uniform("surface_color", np.asarray(model.material.color, np.float32))
            set_uniform("specular", model.material.specular)
            set_uniform("shininess", model.material.shininess)
            set_uniform("first_id", model.first_id)
            (context.disable if model.material.double_sided else context.enable)(moderngl.CULL_FACE)
            model.texture.use(0)
            model.draw.render(moderngl.TRIANGLES)

    def _set_uniform(self, name: str, value: Any) -> None:
        if name in self._program:  # a driver drops those that have no effect
            uniform: Any = self._program[name]
            if isinstance(value, np.ndarray):
                uniform.write(value.tobytes())
            else:
                uniform.value = value

    def _read_depth(self) -> F32:
        width, height = self._size
        with self._context:
            data = self._depths.read(alignment=1)
        return np.frombuffer(data, np.float32).reshape(height, width)

    def _read_ids(self) -> I32:
        width, height = self._size
        with self._context:
            data = self._ids.read(alignment=1)
        return np.frombuffer(data, np.int32).reshape(height, width)
