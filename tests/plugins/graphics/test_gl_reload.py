"""A fragment shader that is edited while frames are drawn: real files, real errors."""

import os

import pytest

from guide.errors import GuideError
from guide.timing import Timeline
from guide_graphics.raster import Light, Material, Scene, Shadow, grid, orbit
from guide_graphics.raster.gl import shaders
from guide_graphics.raster.gl.program import shader_error
from guide_graphics.raster.gl.renderer import GlRenderer

PLAIN = """#version 330 core
layout(location = 0) out vec4 color;
layout(location = 1) out int id;
void main() {
    color = vec4(%s);
    id = gl_PrimitiveID;
}
"""
RED, GREEN = PLAIN % "1.0, 0.0, 0.0, 1.0", PLAIN % "0.0, 1.0, 0.0, 1.0"
BROKEN = PLAIN % "1.0, 0.0, nought, 1.0"
SCENE = Scene([grid(1, 1)], [Material()], [Light((0, 0, 1))] * 2, shadow=Shadow())


@pytest.fixture
def renderer():
    renderer = GlRenderer((16, 16), Timeline(keep=100))
    yield renderer
    renderer.close()


@pytest.fixture
def shader(tmp_path):
    return Edited(tmp_path / "surface.frag")


class Edited:
    """A file whose every edit is later than the one before, however fast the test is."""

    def __init__(self, path):
        self.path, self._edits = path, 0

    def write(self, text):
        self.path.write_text(text)
        self._edits += 1
        os.utime(self.path, (1e9 + self._edits, 1e9 + self._edits))


def middle(renderer):
    return tuple(renderer.render(SCENE, orbit(0, 0, 3)).color[8, 8, :3].tolist())


def marks(renderer):
    return [mark.name for mark in renderer.timeline.marks()]


def test_an_edited_shader_is_taken_at_the_next_frame(renderer, shader):
    shader.write(RED)
    renderer.watch(shader.path)
    assert middle(renderer) == (255, 0, 0)
    shader.write(GREEN)
    assert middle(renderer) == (0, 255, 0)
    assert middle(renderer) == (0, 255, 0)
    assert marks(renderer) == ["shader reloaded"] * 2


def test_a_copy_of_the_shader_draws_the_same(renderer, shader):
    before = renderer.render(SCENE, orbit(30, 20, 3)).color.copy()
    shader.write(shaders.FRAGMENT)
    renderer.watch(str(shader.path))
    assert (renderer.render(SCENE, orbit(30, 20, 3)).color == before).all()
    assert renderer.shader_error is None


def test_on_an_error_the_old_one_stays_and_the_error_is_said_once(renderer, shader):
    shader.write(RED)
    renderer.watch(shader.path)
    middle(renderer)
    shader.write(BROKEN)
    for _ in range(3):
        assert middle(renderer) == (255, 0, 0)
    assert renderer.shader_error.startswith("surface.frag:5: ")
    assert "nought" in renderer.shader_error
    assert "\n" not in renderer.shader_error
    assert marks(renderer) == ["shader reloaded", f"shader kept: {renderer.shader_error}"]


def test_a_corrected_file_is_taken_again(renderer, shader):
    shader.write(BROKEN)
    renderer.watch(shader.path)
    lit = middle(renderer)
    assert renderer.shader_error
    assert lit not in {(255, 0, 0), (0, 255, 0)}  # the one the renderer came with
    shader.write(GREEN)
    assert middle(renderer) == (0, 255, 0)
    assert renderer.shader_error is None


@pytest.mark.parametrize(
    ("text", "said"),
    [
        ("", "surface.frag:1: "),
        (RED.replace("void main", "vec4 f(); void main").replace("1.0, 0.0", "f().xy"), "f"),
        (RED.replace("#version", "in vec4 position;\n#version"), "surface.frag"),
        (b"\xff\xfe\x00".decode("latin-1"), "surface.frag"),
        ("#version 330 core\nuniform vec4 eye;\nout vec4 c;\nvoid main() { c = eye; }", "eye"),
    ],
    ids=["empty", "unresolved", "misplaced", "binary", "another type"],
)
def test_whatever_is_in_the_file_the_loop_goes_on(renderer, shader, text, said):
    shader.write(RED)
    renderer.watch(shader.path)
    middle(renderer)
    shader.write(text)
    assert middle(renderer) == (255, 0, 0)
    assert said in renderer.shader_error
    assert "\n" not in renderer.shader_error


def test_a_file_that_is_gone_for_a_while_is_taken_when_it_is_back(renderer, shader):
    shader.write(RED)
    renderer.watch(shader.path)
    middle(renderer)
    shader.path.unlink()
    assert middle(renderer) == middle(renderer) == (255, 0, 0)
    assert renderer.shader_error == "surface.frag cannot be read (FileNotFoundError)"
    assert len(marks(renderer)) == 2
    shader.write(GREEN)
    assert middle(renderer) == (0, 255, 0)


def test_a_shader_may_use_one_light_of_all(renderer, shader):
    uniform = f"uniform vec3 light_color[{4}];\n"
    shader.write(
        RED.replace("void main", uniform + "void main").replace("1.0, 0", "light_color[0].r, 0")
    )
    renderer.watch(shader.path)
    assert middle(renderer) == (255, 0, 0)
    assert renderer.shader_error is None


def test_a_file_that_is_not_there_is_refused(renderer, tmp_path):
    with pytest.raises(GuideError, match=r"there is no shader .*none\.frag"):
        renderer.watch(tmp_path / "none.frag")


@pytest.mark.parametrize(
    ("log", "line"),
    [
        ("0:12(5): error: `foo' undeclared", "s.frag:12: `foo' undeclared"),
        (
            '0(12) : error C1008: undefined variable "foo"',
            's.frag:12: C1008: undefined variable "foo"',
        ),
        ("ERROR: 0:12: 'foo' : undeclared identifier", "s.frag:12: 'foo' : undeclared identifier"),
        ("error: unresolved reference to function `g'", "s.frag: error: unresolved reference"),
    ],
    ids=["Mesa", "NVIDIA", "Apple, AMD, Intel", "linker"],
)
def test_the_line_is_found_in_what_each_driver_says(log, line):
    error = Exception(
        f"GLSL Compiler failed\n\nfragment_shader\n===============\n{log}\n0:13(1): x\n"
    )
    if "linker" in log or "unresolved" in log:
        error = Exception(f"GLSL Linker failed\n\nProgram\n=======\n{log}\n")
    assert shader_error("s.frag", error).message.startswith(line)
