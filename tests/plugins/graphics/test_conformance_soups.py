"""Whatever the triangles and wherever the camera: nothing breaks, and what comes out is a frame."""

import subprocess
import sys

import numpy as np
import pytest
from hypothesis import HealthCheck, example, given, settings
from hypothesis import strategies as st

from guide_graphics.raster import Camera, Light, Material, Scene

from . import scenes
from .agreement import COVERAGE_PPM, IDS_PPM, shoot
from .exact import exact_cover

SIZES = [(64, 48), (65, 17), (1, 1), (3, 130)]
FEW = settings(
    max_examples=60, deadline=None, suppress_health_check=[HealthCheck.function_scoped_fixture]
)

tame = st.floats(-3, 3, width=32)
wild = st.one_of(
    tame,
    st.sampled_from([0.0, -0.0, 1.0, -1.0, 1e-30, 1e30, -1e30, 3e38, -3e38, 1e10, 16384.0]),
    st.floats(-(2.0**100), 2.0**100, width=32),
    st.floats(-1e5, 1e5, width=32),
)


@st.composite
def soups(draw, coordinate):
    """Up to 20 triangles: some of them points, lines, or the same as another one."""
    corner = st.tuples(coordinate, coordinate, coordinate)
    triangle = st.one_of(
        st.tuples(corner, corner, corner),
        corner.map(lambda p: (p, p, p)),
        st.tuples(corner, corner).map(lambda pq: (*pq, pq[0])),
        st.tuples(corner, tame).map(  # on one line
            lambda pt: tuple(tuple(c * (1 + k * pt[1]) for c in pt[0]) for k in range(3))
        ),
    )
    triangles = draw(st.lists(triangle, max_size=10))
    again = draw(st.lists(st.sampled_from(triangles), max_size=10)) if triangles else []
    with np.errstate(over="ignore"):
        corners = np.array(triangles + again, np.float32).reshape(-1, 3, 3)
    return np.nan_to_num(corners, posinf=3e38, neginf=-3e38)


@st.composite
def cameras(draw, far_off=False):
    reach = 1e6 if far_off else 4.0
    number = st.floats(-reach, reach)
    eye = draw(st.tuples(number, number, number))
    ahead = draw(st.sampled_from([(0, 0, -1), (1, 0.2, 0.1), (-0.3, -0.5, 1), (0.1, 0.9, 0.1)]))
    near = draw(st.sampled_from([1e-6, 1e-3, 0.1, 1.0]))
    far = near * draw(st.sampled_from([1.5, 100.0, 1e6]))
    fov_deg = draw(st.floats(1, 179))
    target = tuple(e + a for e, a in zip(eye, ahead, strict=True))
    return Camera(eye, target, fov_deg=fov_deg, near=near, far=far)


def assert_whole(picture, count):
    """Numbers within range, and nothing beyond the far plane or nearer than the near one."""
    assert picture.ids.min() >= -1
    assert picture.ids.max(initial=-1) < count
    assert np.isfinite(picture.depth).all()
    assert (picture.depth >= 0).all()
    assert (picture.depth <= 1).all()
    assert (picture.depth[picture.ids < 0] == 1).all()
    assert (picture.color[..., 3] == 255).all()


def draw(opened, backend, size, corners, camera, **options):
    material = Material(double_sided=True, **options)
    return shoot(opened(backend, size), Scene([scenes.soup(corners)], [material]), camera)


@pytest.mark.parametrize("backend", ["software", "opengl"])
@FEW
@given(corners=soups(tame), camera=cameras(), size=st.sampled_from(SIZES))
def test_tame_triangles_make_a_frame(opened, backend, corners, camera, size):
    assert_whole(draw(opened, backend, size, corners, camera), len(corners))


FRONT = Camera(eye=(0, 0, 3))
BESIDE = [[[1e30, 0, 0], [0, 1e30, 0], [0, 0, 1e30]]]
AROUND = [[[-3e38, -3e38, 1], [3e38, -3e38, 1], [0, 3e38, 1]]]
LONG = [[[-1e10, 0.1, 0], [1e10, 0.1, 0], [0, 0.2, 0]]]


@FEW
@given(corners=soups(wild), camera=cameras(far_off=True), size=st.sampled_from(SIZES))
@example(corners=np.array(BESIDE), camera=FRONT, size=(64, 48))
@example(corners=np.array(AROUND), camera=FRONT, size=(64, 48))
@example(corners=np.array(LONG), camera=FRONT, size=(64, 48))
@example(corners=np.array(LONG * 9), camera=FRONT, size=(64, 48))
def test_wild_triangles_make_a_frame_too(opened, corners, camera, size):
    one = draw(opened, "software", size, corners, camera)
    assert_whole(one, len(corners))
    again = draw(opened, "software", size, corners, camera)
    assert one.same_bits(again)


BEHIND = """
import numpy as np
from guide_graphics.raster import Camera, Material, Mesh, Scene, open_renderer

corners = [[-9, 0, 9], [9, 0, 9], [9, 0, -8], [-9, 0, -8]]
ground = Mesh(corners, [[0, 1, 0]] * 4, np.zeros((4, 2)), [[0, 1, 2], [0, 2, 3]])
camera = Camera(eye=(0, 1, 0), target=(0, 1, -1), fov_deg=90)
for _ in range(100):
    renderer = open_renderer((64, 64), "software", threads=1)
    ids = renderer.render(Scene([ground], [Material()]), camera).ids
    renderer.close()
print((ids >= 0).sum())
"""


def test_a_first_vertex_behind_the_eye_is_no_matter():
    # Triangles are taken eight at once: those that fill up the last eight are none. In a process
    # of its own, since reading beyond an array may end it.
    done = subprocess.run([sys.executable, "-c", BEHIND], capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    assert int(done.stdout) == 64 * 28  # to where the ground ends, 8 away: at 1/8 below the horizon


@pytest.mark.parametrize("backend", ["software", "ladder"])
def test_what_clipping_cannot_resolve_is_no_nearer_than_the_near_plane(opened, backend):
    # A line 1e16 long, cut between planes half a millionth apart: float32 leaves nothing of z
    line = np.zeros((1, 3, 3))
    line[0, :, 0] = -1.1253853e16, 1.3206032e16, 3.7665918e16
    camera = Camera((0, 0, 0), (1, 0.2, 0.1), fov_deg=7, near=1e-6, far=1.5e-6)
    assert_whole(draw(opened, backend, (64, 48), line, camera), 1)


@FEW
@given(corners=soups(wild), scale=st.sampled_from([1e-30, 1e10, 1e30]), size=st.sampled_from(SIZES))
@example(np.float32([[[0, 0, 0], [0, 0, -1], [1.6513687e28, 0, -1]]]), 1e10, (64, 48))
def test_a_transform_that_overflows_draws_what_it_can(opened, corners, scale, size):
    mesh = scenes.soup(corners).moved(scenes.place(0.1, 0.2, 0.3, scale))
    scene = Scene([mesh, scenes.still_life(200).meshes[0]], [Material(double_sided=True)])
    picture = shoot(opened("software", size), scene, scenes.STILL_LIFE_VIEWS[0])
    assert_whole(picture, scene.triangle_count)


@FEW
@given(
    colors=st.lists(st.tuples(*[st.floats(-1e30, 1e30)] * 3), min_size=1, max_size=4),
    specular=st.floats(0, 1e30),
    shininess=st.floats(0, 1e6),
    uv=st.floats(-(2.0**100), 2.0**100, width=32),
)
def test_light_and_texture_of_any_strength_make_a_frame(opened, colors, specular, shininess, uv):
    scene = scenes.shapes()
    mesh = scene.meshes[1]
    far = scenes.Mesh(mesh.positions, mesh.normals, mesh.uv * uv, mesh.triangles, 0)
    texture = scene.materials[0].texture
    material = Material(colors[0], texture, specular=specular, shininess=shininess)
    lights = [Light((1, k, 0.5), color) for k, color in enumerate(colors)]
    dazzling = Scene([far], [material], lights)
    assert_whole(shoot(opened("software", (64, 48)), dazzling, FRONT), dazzling.triangle_count)


@FEW
@given(data=st.data())
def test_on_sub_pixel_positions_integers_decide(opened, data):
    step = st.one_of(
        st.integers(-20 * 256, 80 * 256),
        st.integers(-3, 35).map(lambda k: 256 * k + 128),  # a pixel's centre
        st.integers(0, 32).map(lambda k: 256 * k),
        st.integers(-(2**20), 2**20),
    )
    triangle = st.lists(st.tuples(step, step), min_size=3, max_size=3)
    steps = data.draw(st.lists(triangle, min_size=1, max_size=12))
    corners = np.zeros((len(steps), 3, 3))
    corners[..., :2] = np.array(steps) / 256
    corners[..., 2] = (np.arange(len(steps)) / 16)[:, None]  # the later the nearer
    size = (32, 32)
    expected = np.full(size, -1)
    for number, corner in enumerate(corners):
        expected[exact_cover(corner[:, :2], size)] = number
    for backend in ("software", "ladder"):
        found = draw(opened, backend, size, corners, scenes.Flat(size), specular=0)
        assert (found.ids == expected).all(), backend


def test_random_scenes_from_random_places_agree(opened):
    rng = np.random.default_rng(11)
    covered = coverage = ids = 0
    for k in range(60):
        # A few large ones, some small ones: through the near plane, behind the eye, edge on
        corners = rng.normal(0, 1.5, (12, 3, 3))
        corners[4:] = corners[4:, :1] + 0.3 * (corners[4:] - corners[4:, :1])
        eye = rng.normal(0, 1.5, 3)
        camera = Camera(tuple(eye), tuple(rng.normal(0, 0.5, 3)), near=0.05, fov_deg=20 + k)
        a, b = (draw(opened, one, (320, 180), corners, camera) for one in ("software", "opengl"))
        covered += (b.ids >= 0).sum()
        coverage += ((a.ids >= 0) != (b.ids >= 0)).sum()
        ids += (a.ids != b.ids).sum()
    assert covered > 1_000_000
    # llvmpipe clips what reaches beyond twice the picture, and snaps the corners that this makes;
    # here that begins at 16,384 pixels. Such triangles' edges lie apart by less than a sub-pixel.
    assert coverage <= 4 * COVERAGE_PPM * 1e-6 * covered
    assert ids <= IDS_PPM * 1e-6 * covered
