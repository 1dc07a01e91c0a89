"""The program that one writes with moderngl for this picture and no other.

The track's OpenGL renderer also writes which triangle is seen, works out mip levels itself, loops
over lights and asks for a shadow. Here is none of that: one light, colour and depth, one call.
"""

from __future__ import annotations

import moderngl
import numpy as np

from benchmarks.graphics.scenes import View, arrays
from guide_graphics.raster import U8
from guide_graphics.raster.gl.context import open_context
from guide_graphics.raster.gl.shaders import VERTEX

FRAGMENT = """
#version 330 core
uniform sampler2D image;
uniform vec3 eye;
uniform vec3 light;
uniform vec3 ambient;
uniform float specular;
uniform float shininess;
uniform float alpha;
in vec3 position;
in vec3 normal;
in vec2 uv;
out vec4 color;
void main() {
    vec3 n = normalize(normal);
    vec3 albedo = texture(image, uv).rgb;
    float diffuse = max(dot(n, light), 0.0);
    float along = max(dot(n, normalize(light + normalize(eye - position))), 0.0);
    color = vec4(albedo * (ambient + diffuse) + specular * pow(along, shininess) * diffuse, alpha);
}
"""


class Plain:
    """One view, drawn through OpenGL.

    Args:
        view: its light is white and its mesh has not been moved.
        size: width and height in pixels.
    """

    def __init__(self, view: View, size: tuple[int, int]) -> None:
        self._view = view
        self._aspect = size[0] / size[1]
        self._pixels = np.empty((size[1], size[0], 4), np.uint8)
        self._context = open_context()
        with self._context as context:
            self._target = context.framebuffer(
                [context.texture(size, 4)], context.depth_renderbuffer(size)
            )
            self._program = context.program(vertex_shader=VERTEX, fragment_shader=FRAGMENT)
            self._set_up(context)

    def _set_up(self, context: moderngl.Context) -> None:
        mesh, image = arrays(self._view)
        material, scene = self._view.material, self._view.scene
        self._texture = context.texture(image.shape[1::-1], 3, image.tobytes(), alignment=1)
        self._texture.filter = moderngl.LINEAR, moderngl.LINEAR
        if material.mipmaps:
            self._texture.build_mipmaps()
            self._texture.filter = moderngl.LINEAR_MIPMAP_LINEAR, moderngl.LINEAR
        vertices = np.hstack([mesh.positions, mesh.normals, mesh.uv])
        self._draw = context.vertex_array(
            self._program,
            [(context.buffer(vertices.tobytes()), "3f 3f 2f", "in_position", "in_normal", "in_uv")],
            context.buffer(mesh.triangles.tobytes()),
        )
        direction = np.array(scene.lights[0].direction)
        self._set("light", direction / np.linalg.norm(direction))
        self._set("ambient", scene.ambient)
        for name in ("specular", "shininess", "alpha"):
            self._program[name] = getattr(material, name)
        context.enable_only(moderngl.DEPTH_TEST | moderngl.CULL_FACE)
        if material.alpha < 1:
            context.enable(moderngl.BLEND)
            context.blend_func = moderngl.SRC_ALPHA, moderngl.ONE_MINUS_SRC_ALPHA

    def _set(self, name: str, values: object) -> None:
        self._program[name].write(np.asarray(values, np.float32).tobytes())

    def read(self, n: int) -> U8:
        """Frame n, with row 0 at the bottom: (h, w, 4) uint8, the same memory every time."""
        with self._context:
            self._submit(n)
            self._target.read_into(self._pixels, components=4)
        return self._pixels

    def draw(self, first: int, count: int) -> None:
        """Draw that many frames, one after the other; wait once, and read none."""
        with self._context as context:
            for n in range(first, first + count):
                self._submit(n)
            context.finish()

    def close(self) -> None:
        """Give it all back."""
        self._context.release()

    def _submit(self, n: int) -> None:
        camera, scene = self._view.camera(n), self._view.scene
        to_clip = camera.projection(self._aspect) @ camera.view
        self._set("to_clip", to_clip.T)
        self._set("eye", camera.eye)
        self._target.use()
        self._target.depth_mask = True  # it holds for clearing too
        self._target.clear(*scene.background[0], depth=1.0)
        self._target.depth_mask = self._view.material.alpha == 1
        self._texture.use(0)
        self._draw.render(moderngl.TRIANGLES)
