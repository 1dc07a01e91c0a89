"""What nobody sane would draw costs a line or a strange picture, and no process."""

import os
import subprocess
import sys
from dataclasses import replace

import numpy as np
import pytest

from guide.errors import GuideError
from guide.timing import Timeline
from guide_graphics.raster import (
    Light,
    Material,
    Mesh,
    Scene,
    grid,
    load_mesh,
    open_renderer,
    orbit,
    teapot,
)
from guide_graphics.raster.software.passes import Pass
from guide_graphics.raster.software.renderer import SoftwareRenderer
from guide_graphics.raster.workers import Workers

VIEW = orbit(30, 20, 3)


@pytest.fixture
def software():
    renderer = open_renderer((64, 48), "software", threads=2)
    yield renderer
    renderer.close()


@pytest.mark.parametrize("mipmaps", [False, True])
@pytest.mark.parametrize("huge", [1e36, 1e38, -1e37])
def test_places_in_a_texture_that_are_no_numbers_read_nothing_beyond_it(mipmaps, huge):
    # In a process of its own: what it read beyond would end it
    code = f"""
import numpy as np
from dataclasses import replace
from guide_graphics.raster import *
mesh = teapot(500)
uv = np.random.default_rng(1).uniform(-1, 1, mesh.uv.shape) * {huge}
mesh = replace(mesh, uv=uv.astype(np.float32))
texture = np.zeros((2048, 1, 3), np.uint8)
renderer = open_renderer((64, 48), "software", threads=1)
for turn in range(5):
    material = Material(texture=texture, mipmaps={mipmaps})
    renderer.render(Scene([mesh], [material]), orbit(70 * turn, 20, 3))
print("drawn")
"""
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert (done.returncode, done.stdout) == (0, "drawn\n"), done.stderr[-2000:]


def test_more_triangles_in_tiles_than_can_be_listed_are_one_line(monkeypatch, software):
    monkeypatch.setattr("guide_graphics.raster.software.passes._MOST_ITEMS", 10)
    with pytest.raises(GuideError, match="more than can be listed"):
        software.render(Scene([teapot(500)], [Material()]), VIEW)


def test_a_scene_keeps_what_was_checked():
    meshes = [grid(1, 1), grid(2, 2)]
    scene = Scene(meshes, [Material()])
    meshes.clear()
    assert len(scene.meshes) == 2


def test_triangles_that_were_changed_after_they_were_checked_are_one_line(software):
    mesh = teapot(500)
    mesh.triangles[:] = 1 << 28
    with pytest.raises(GuideError, match="were changed"):
        software.render(Scene([mesh], [Material()]), VIEW)


def test_a_frame_that_is_gone_says_so(software):
    frame = software.render(Scene([teapot(500)], [Material()]), VIEW)
    software.render(Scene([grid(1, 1)], [Material()]), VIEW)
    with pytest.raises(GuideError, match="gone"):
        _ = frame.ids


@pytest.mark.parametrize(
    "make",
    [
        lambda: Scene([], [], ambient=5.0),
        lambda: Scene([], [], ambient=(1, 1)),
        lambda: Scene([], [], background=((0, 0, 0), (0, float("nan"), 0))),
        lambda: Light((1, 0, 0), (1.0, 1.0)),
        lambda: Light((1, 0)),
        lambda: Material("red"),
        lambda: Material((1, float("inf"), 1)),
        lambda: Material(shininess=-5.0),
        lambda: Material(specular=float("nan")),
        lambda: Material(texture=np.zeros((4, 4, 3), np.float32)),
        lambda: Material(texture=np.zeros((1, 40_000, 3), np.uint8)),
        lambda: grid(1, 1).moved(np.diag([1, 1, 1, 0])),
        lambda: open_renderer((640.0, 360.0), "software"),
        lambda: open_renderer((1, 2, 3), "software"),
        lambda: open_renderer((64, 48), "software", threads=0),
    ],
)
def test_what_cannot_be_drawn_is_one_line(make):
    with pytest.raises(GuideError) as caught:
        make()
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize(("bits", "width"), [(0, 64), (3, 64), (7, 64), (4, 4096)])
def test_tiles_that_do_not_suit_a_picture_are_refused(bits, width):
    with pytest.raises(ValueError, match="tiles of"):
        SoftwareRenderer((width, 64), Timeline(keep=10), 1, tile_bits=bits)
    with pytest.raises(ValueError, match="tiles of"):
        Pass((width, 64), Workers(1), bits)


def test_a_cache_that_is_no_file_or_has_no_triangles_is_passed_over(tmp_path):
    path = tmp_path / "a.obj"
    path.write_text("v 0 0 0\nv 1 0 0\nv 0 1 0\nf 1 2 3\n")
    kept = tmp_path / "a.obj.guide.npz"
    mesh = load_mesh(path)
    with np.load(kept) as arrays:
        hollow = {**arrays, "triangles": np.zeros((0, 3), np.int32)}
    np.savez(kept, **hollow)
    assert len(load_mesh(path).triangles) == len(mesh.triangles)
    kept.unlink()
    os.mkfifo(kept)
    assert len(load_mesh(path).triangles) == len(mesh.triangles)


def test_a_mesh_whose_texture_goes_anywhere_is_drawn_alike_by_any_number_of_threads():
    mesh = teapot(500)
    uv = np.random.default_rng(1).uniform(-1e37, 1e37, mesh.uv.shape).astype(np.float32)
    scene = Scene([replace(mesh, uv=uv)], [Material(texture=np.zeros((5, 7, 3), np.uint8))])
    colors = []
    for threads in (1, 2, 3):
        renderer = open_renderer((64, 48), "software", threads=threads)
        colors.append(renderer.render(scene, VIEW).color.copy())
        renderer.close()
    assert all(np.array_equal(colors[0], color) for color in colors)
    assert isinstance(mesh, Mesh)
