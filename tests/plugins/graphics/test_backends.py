"""Which backend is opened, and what is said when it cannot be."""

import subprocess
import sys

import pytest

from guide.errors import GuideError
from guide_graphics.raster import open_renderer
from guide_graphics.raster.gl.context import is_software, open_context


def test_a_context_can_be_had_without_a_display():
    context = open_context()
    assert context.version_code >= 330
    context.release()


def test_auto_takes_opengl_where_there_is_some_and_says_so():
    renderer = open_renderer((16, 16), "auto")
    assert renderer.backend == "opengl"
    assert "OpenGL on" in renderer.description
    renderer.close()
    renderer.close()


def test_without_opengl_auto_draws_on_the_cpu_and_gl_says_what_to_do():
    code = """
import moderngl
def none(**kwargs): raise Exception("cannot open libEGL.so.1")
moderngl.create_context = none
from guide.errors import GuideError
from guide_graphics.raster import open_renderer
print(open_renderer((16, 16), "auto").backend)
try:
    open_renderer((16, 16), "opengl")
except GuideError as error:
    print(error)
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    first, second = done.stdout.splitlines()
    assert first == "software"
    assert "libEGL" in second
    assert "apt install" in second


def test_an_unknown_backend_is_refused():
    with pytest.raises(GuideError, match="vulkan"):
        open_renderer((16, 16), "vulkan")


def test_software_drivers_are_known_by_name():
    assert is_software("llvmpipe (LLVM 15.0.6, 256 bits)")
    assert not is_software("NVIDIA GeForce RTX 4090/PCIe/SSE2")
