"""What can go wrong with OpenGL: each is one line that says what to do."""

import os
import subprocess
import sys

import numpy as np
import pytest

from guide.errors import GuideError
from guide.timing import Timeline
from guide_graphics.raster import Material, Scene, grid, open_renderer, orbit
from guide_graphics.raster.gl.context import open_context
from guide_graphics.raster.gl.program import compile_program
from guide_graphics.raster.gl.renderer import GlRenderer
from guide_graphics.raster.gl.target import Target

SCENE = Scene([grid(1, 1)], [Material()])


@pytest.fixture
def renderer():
    renderer = GlRenderer((16, 16), Timeline(keep=100))
    yield renderer
    renderer.close()


@pytest.mark.parametrize("size", [(0, 16), (16, 0), (-1, 16), (8193, 16)])
def test_a_size_that_is_none_is_refused(size):
    with pytest.raises(GuideError, match="cannot be drawn; 1 to 8192 can"):
        open_renderer(size, "opengl")


@pytest.mark.parametrize("samples", [0, 2, 8])
@pytest.mark.parametrize("backend", ["software", "opengl", "auto"])
def test_samples_are_one_or_four(backend, samples):
    with pytest.raises(GuideError, match=f"a pixel of {samples} samples .* take samples=1 or 4"):
        open_renderer((16, 16), backend, samples=samples)


def test_four_samples_are_said_in_the_description():
    renderer = open_renderer((16, 16), "opengl", samples=4)
    assert "4 samples a pixel" in renderer.description
    renderer.close()


def test_more_samples_than_the_driver_has_are_refused():
    with open_context() as context:
        more = 2 * context.max_samples
        with pytest.raises(GuideError, match=f"not {more}; take samples=1"):
            Target(context, (16, 16), more)
    context.release()


def test_what_opengl_reports_ends_the_frame_with_one_line(renderer):
    renderer.render(SCENE, orbit(0, 10, 4))
    with renderer._context as context:
        context.enable_direct(0xFFFF)  # there is no such thing to enable
    with pytest.raises(GuideError, match="OpenGL reports GL_INVALID_ENUM while drawing; open it"):
        renderer.render(SCENE, orbit(0, 10, 4))
    renderer.render(SCENE, orbit(0, 10, 4))  # it was reported, and is over


def test_a_closed_renderer_says_so(renderer):
    frame = renderer.render(SCENE, orbit(0, 10, 4))
    renderer.close()
    with pytest.raises(GuideError, match="this renderer is closed; open another"):
        renderer.render(SCENE, orbit(0, 10, 4))
    with pytest.raises(GuideError, match="closed"):
        frame.ids  # noqa: B018


def test_a_texture_too_large_for_the_driver_is_refused_and_the_renderer_goes_on(renderer):
    with renderer._context as context:
        most = context.info["GL_MAX_TEXTURE_SIZE"]
    large = Scene([grid(1, 1)], [Material(texture=np.zeros((1, most + 1, 3), np.uint8))])
    with pytest.raises(GuideError, match=f"{most + 1}x1 texels is too large.*; make it {most}"):
        renderer.render(large, orbit(0, 10, 4))
    assert (renderer.render(SCENE, orbit(0, 10, 4)).ids >= 0).any()


def test_a_shader_that_does_not_compile_is_one_line():
    vertex = "#version 330 core\nvoid main() {\n    gl_Position = vec3(1.0);\n}\n"
    with open_context() as context, pytest.raises(GuideError, match=r"^sky.vert:3: ") as caught:
        compile_program(context, vertex, "#version 330 core\nvoid main() {}", "sky.vert")
    context.release()
    assert "\n" not in str(caught.value)


def test_a_driver_older_than_opengl_3_3_is_refused_with_a_remedy(renderer):
    with renderer._context as context:
        if "Mesa" not in context.info["GL_VERSION"]:
            pytest.skip("only Mesa can be made older")
    code = """
from guide.errors import GuideError
from guide_graphics.raster import open_renderer
try:
    open_renderer((16, 16), "opengl")
except GuideError as error:
    print(error)
print(open_renderer((16, 16), "auto").backend)
"""
    old = {**os.environ, "MESA_GL_VERSION_OVERRIDE": "3.1"}
    done = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, check=True, env=old
    )
    said, backend = done.stdout.splitlines()
    assert said.startswith("no OpenGL 3.3 context (")
    assert "take the backend software" in said
    assert backend == "software"
