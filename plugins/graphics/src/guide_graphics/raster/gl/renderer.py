"""The OpenGL renderer: the scene in buffers, drawn into a framebuffer object and read back."""

from __future__ import annotations

import functools
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import moderngl
import numpy as np

from guide.errors import GuideError
from guide.timing import Timeline
from guide_graphics.raster.camera import Camera
from guide_graphics.raster.gl import shaders
from guide_graphics.raster.gl.context import check, is_software, open_context
from guide_graphics.raster.gl.models import Model, Models
from guide_graphics.raster.gl.program import ReloadedProgram, columns, compile_program, set_uniform
from guide_graphics.raster.gl.readback import Readback
from guide_graphics.raster.gl.shadow_map import ShadowMap
from guide_graphics.raster.gl.target import Passes, Target
from guide_graphics.raster.gl.timer import open_timer
from guide_graphics.raster.renderer import Frame, lit_from
from guide_graphics.raster.scene import F32, I32, MAX_LIGHTS, Scene, same_geometry

_TEXTURE, _SHADOW_MAP = 0, 1  # texture units


@dataclass(frozen=True, eq=False)
class _Shot:
    """What was drawn, to know it again when its pixels come."""

    scene: Scene
    camera: Camera
    t_s: float
    slot: int


class GlRenderer:
    """Draws through OpenGL. See `guide_graphics.raster.renderer.Renderer` for what it promises.

    It draws into memory, never to a window: the frame comes back as an array, whatever is to
    become of it. With several samples a pixel, or with a latency, `depth` and `ids` of a frame are
    drawn when they are first read, at the pixels' centres.

    Args:
        size: width and height of its frames in pixels.
        timeline: where the phases are recorded; on the lane "gpu" by the device's own timer, where
            that can be believed: `timing` says so.
        samples: of one pixel: 1, or 4 for smooth edges.
        latency: `render` returns the frame drawn so many calls before, whose `t_s` says when that
            was, and the first until there are enough. 1 or 2 let CPU and GPU work at the same time.

    Raises:
        GuideError: when there is no context to be had, or it cannot do what is asked.
    """

    backend = "opengl"

    def __init__(
        self, size: tuple[int, int], timeline: Timeline, samples: int = 1, latency: int = 0
    ) -> None:
        if not 0 <= latency <= 8:
            raise GuideError(f"a latency of {latency} frames cannot be had", "0 to 8 can")
        self._size = size
        self.timeline = timeline
        self._closed = False
        self._context = open_context()
        try:
            with self._context as context:
                self._open(context, samples, latency)
        except BaseException:
            self.close()
            raise

    def _open(self, context: moderngl.Context, samples: int, latency: int) -> None:
        width, height = self._size
        self._target = Target(context, self._size, samples)
        self._readback: Readback[_Shot] = Readback(context, self._size, latency)
        self._at_once = latency == 0 and samples == 1
        self._waits = latency == 0
        self._timer = open_timer(context, latency + 1)
        self._lit = ReloadedProgram(context)
        self._shadow_map = ShadowMap(context)
        back = compile_program(context, shaders.SCREEN_VERTEX, shaders.BACKGROUND_FRAGMENT)
        self._background = context.vertex_array(back, [])
        self._rows = context.texture((1, height), 4)
        self._scene: Scene | None = None
        self._models: Models | None = None
        self._color = np.empty((height, width, 4), np.uint8)
        name = str(context.info["GL_RENDERER"])
        self.description = f"OpenGL on {name}"
        if is_software(name):
            self.description += ", which draws on the CPU"
        if samples > 1:
            self.description += f", {samples} samples a pixel"

    @property
    def timing(self) -> str:
        """For people: what measures how long the device draws, and why if it is not its timer."""
        if self._timer.doubt:
            return f"wall clock: the driver's timer is not to be trusted, {self._timer.doubt}"
        return "the device's own timer"

    @property
    def shader_error(self) -> str | None:
        """Why the file given to `watch` does not draw: file, line, complaint. None if it does."""
        return self._lit.error

    def watch(self, path: str | Path) -> None:
        """Take the fragment shader from a file, and again each time the file changes.

        It is looked at before every frame. While it does not compile, what drew before goes on
        drawing, `shader_error` says what is wrong, and a mark on the timeline does once. Begin
        with a copy: `path.write_text(guide_graphics.raster.gl.shaders.FRAGMENT)`.

        Raises:
            GuideError: when there is no such file.
        """
        path = Path(path)
        if not path.is_file():
            raise GuideError(
                f"there is no shader {path}", "write one: raster/gl/shaders.py has it as FRAGMENT"
            )
        self._lit.watch(path)

    def render(self, scene: Scene, camera: Camera, t_s: float = 0.0) -> Frame:
        """Draw `scene` as `camera` sees it at time `t_s`.

        Raises:
            GuideError: when this renderer is closed, a texture is too large for the driver, or
                OpenGL reports an error: the device is lost or out of memory.
        """
        with self._current() as context:
            self._reload()
            self._load(scene)
            shot = _Shot(scene, camera, t_s, self._readback.slot)
            with self.timeline.span("render/draw"):
                with self._timer.measure(shot.slot, self.timeline):
                    self._draw(scene, camera, self._target.passes)
                    self._target.resolve()
                if self._waits:
                    context.finish()  # or the wait would be booked on the readback
            with self.timeline.span("render/readback"):
                shot = self._readback.swap(self._target.picture, shot, self._color)
            self._timer.report(shot.slot)
            check(context, "drawing")
        if self._at_once:
            return Frame(self._color, t_s, depth=self._depth, ids=self._ids)
        again = functools.cache(lambda: self._plain(shot))
        return Frame(self._color, shot.t_s, depth=lambda: again()[0], ids=lambda: again()[1])

    def close(self) -> None:
        """Free what OpenGL holds, and the context; a second call does nothing."""
        if not self._closed:
            self._closed = True
            self._context.release()  # and with it all that was made in it

    @contextmanager
    def _current(self) -> Iterator[moderngl.Context]:
        if self._closed:
            raise GuideError("this renderer is closed", "open another")
        with self._context as context:
            yield context

    def _reload(self) -> None:
        if not self._lit.refresh():
            return
        if self._lit.error:
            self.timeline.mark(f"shader kept: {self._lit.error}")
        else:
            self.timeline.mark("shader reloaded")
            self._scene = None  # what draws the meshes is bound to the program

    def _load(self, scene: Scene) -> None:
        """Hand meshes and textures to OpenGL, if they are others than before."""
        if not same_geometry(self._scene, scene):
            if self._models:
                self._models.release()
            self._scene = self._models = None
            self._models = Models(self._context, scene, self._lit.program, self._shadow_map.caster)
        self._scene = scene

    def _draw(self, scene: Scene, camera: Camera, passes: Passes) -> None:
        context, models = self._context, self._models
        assert models is not None
        shadow = self._shadow_map.draw(scene, models.opaque)
        passes.opaque.use()
        passes.opaque.clear(depth=1.0)
        context.enable_only(moderngl.NOTHING)
        self._rows.write(scene.background_rows(self._size[1]).tobytes())
        self._rows.use(_TEXTURE)
        self._background.render(moderngl.TRIANGLES, vertices=3)

        self._set_lights(scene, shadow)
        context.enable_only(moderngl.DEPTH_TEST)
        context.depth_func = "<"
        self._draw_models(models.opaque, scene, camera, shadow)
        if models.blended:
            passes.blended.use()
            context.enable(moderngl.BLEND)
            context.blend_func = moderngl.SRC_ALPHA, moderngl.ONE_MINUS_SRC_ALPHA
            self._draw_models(models.blended, scene, camera, shadow)

    def _set_lights(self, scene: Scene, shadow: F32 | None) -> None:
        program = self._lit.program
        colors = np.zeros((MAX_LIGHTS, 3), np.float32)
        colors[: len(scene.lights)] = [light.color for light in scene.lights] or 0
        set_uniform(program, "ambient", np.asarray(scene.ambient, np.float32))
        set_uniform(program, "light_count", len(scene.lights))
        set_uniform(program, "light_color", colors)
        set_uniform(program, "surface_texture", _TEXTURE)
        set_uniform(program, "shadow_map", _SHADOW_MAP)
        set_uniform(program, "shadow_light", -1)
        if shadow is not None and scene.shadow is not None:
            set_uniform(program, "shadow_light", scene.shadow.light)
            set_uniform(program, "shadow_bias", scene.shadow.bias)
        self._shadow_map.use(_SHADOW_MAP)

    def _draw_models(
        self, models: list[Model], scene: Scene, camera: Camera, shadow: F32 | None
    ) -> None:
        context, program = self._context, self._lit.program
        width, height = self._size
        view = camera.projection(width / height).astype(np.float64) @ camera.view
        eyes, lights = lit_from(scene, camera)
        for model in models:
            material, transform = model.material, scene.meshes[model.index].transform
            directions = np.zeros((MAX_LIGHTS, 3), np.float32)
            directions[: len(scene.lights)] = lights[model.index]
            set_uniform(program, "to_clip", columns(view @ transform))
            if shadow is not None:
                set_uniform(program, "to_shadow", columns(shadow.astype(np.float64) @ transform))
            set_uniform(program, "eye", eyes[model.index])
            set_uniform(program, "light_direction", directions)
            set_uniform(program, "last_level", model.last_level)
            set_uniform(program, "surface_color", np.asarray(material.color, np.float32))
            set_uniform(program, "alpha", material.alpha)
            set_uniform(program, "specular", material.specular)
            set_uniform(program, "shininess", material.shininess)
            set_uniform(program, "first_id", model.first_id)
            (context.disable if material.double_sided else context.enable)(moderngl.CULL_FACE)
            model.texture.use(_TEXTURE)
            model.draw.render(moderngl.TRIANGLES)

    def _plain(self, shot: _Shot) -> tuple[F32, I32]:
        """Depth and ids of a frame, drawn again with one sample a pixel."""
        with self._current() as context:
            self._load(shot.scene)
            self._draw(shot.scene, shot.camera, self._target.plain)
            check(context, "drawing")
            return self._target.depth(), self._target.ids()

    def _depth(self) -> F32:
        with self._current():
            return self._target.depth()

    def _ids(self) -> I32:
        with self._current():
            return self._target.ids()
