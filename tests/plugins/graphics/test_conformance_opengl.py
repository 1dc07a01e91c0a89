"""What the software renderer draws against what OpenGL draws, pixel by pixel, at test time."""

from dataclasses import replace

import numpy as np
import pytest

from guide_graphics.raster import Camera, Material, Scene, grid, load_mesh, marble, orbit

from . import scenes
from .agreement import COLOR_MOST, COVERAGE_PPM, IDS_PPM, TRILINEAR, assert_agree, shoot
from .exact import exact_cover

SIZE = (640, 360)
ODD_SIZES = [(1, 1), (1, 130), (130, 1), (7, 5), (65, 64), (129, 127), (333, 217)]


def series(opened, backend, scene, cameras, size=SIZE):
    return [shoot(opened(backend, size), scene, camera) for camera in cameras]


def both(opened, scene, cameras, size=SIZE):
    return [series(opened, backend, scene, cameras, size) for backend in ("software", "opengl")]


@pytest.mark.parametrize(
    ("scene", "cameras", "gates"),
    [
        (scenes.still_life, scenes.STILL_LIFE_VIEWS, {}),
        (scenes.shapes, scenes.SHAPES_VIEWS, {}),
        (scenes.floor, scenes.FLOOR_VIEWS, TRILINEAR),
        (scenes.layers, scenes.LAYERS_VIEWS, {}),
    ],
    ids=["still life", "shapes", "floor to the horizon", "50 layers"],
)
def test_the_renderers_agree(opened, scene, cameras, gates):
    software, gl = both(opened, scene(), cameras)
    assert sum((picture.ids >= 0).sum() for picture in gl) >= 300_000
    assert_agree(software, gl, **gates)


def test_they_agree_on_the_bunny(opened):
    there = [path for path in scenes.BUNNIES if path.is_file()]
    if not there:
        pytest.skip("bunny.obj is absent: `make meshes` gets it")
    texture = marble((0.9, 0.8, 0.7), (0.4, 0.25, 0.2), 256)
    scene = Scene([load_mesh(there[0])], [Material(texture=texture)], scenes.LIGHTS)
    views = [orbit(azimuth, 15, 3.2, (0, 0.9, 0)) for azimuth in range(0, 360, 72)]
    assert_agree(*both(opened, scene, views))


def test_they_agree_at_any_size(opened):
    pictures = {"software": [], "opengl": []}
    for size in ODD_SIZES:
        for backend, kept in pictures.items():
            kept += series(opened, backend, scenes.still_life(800), scenes.STILL_LIFE_VIEWS, size)
            kept += series(opened, backend, scenes.shapes(), scenes.SHAPES_VIEWS, size)
    # The smaller the picture, the steeper is depth from pixel to pixel
    assert_agree(*pictures.values(), depth_most=0.01)


# Of the pixel grid: on the centres, on the borders, between
@pytest.mark.parametrize("shift", [(0.5, 0.5), (0, 0), (0.25, 0.75), (-0.5, 0.5), (1 / 256, 0.5)])
@pytest.mark.parametrize("size", [(320, 180), (65, 63)])
def test_a_grid_is_the_same_to_the_last_pixel(opened, shift, size):
    cells = size[0] // 4, size[1] // 4
    matrix = np.diag([2, 2, 2, 1]).astype(np.float32)  # cells of 4 pixels
    matrix[:2, 3] = 2 * cells[0] + shift[0], 2 * cells[1] + shift[1]
    square = grid(*cells)
    mesh = scenes.Mesh(square.positions * [*cells, 1], square.normals, square.uv, square.triangles)
    scene = Scene([mesh.moved(matrix)], [Material()])
    software, gl = (
        shoot(opened(backend, size), scene, scenes.Flat(size)) for backend in ("software", "opengl")
    )
    assert (software.ids == gl.ids).all()
    assert (software.ids >= 0).mean() > 0.9
    assert len(np.unique(software.ids)) >= 2 * cells[0] * cells[1]


def hits(opened, backend, size, corners):
    scene = Scene([scenes.soup(corners)], [Material(double_sided=True)])
    return shoot(opened(backend, size), scene, scenes.Flat(size))


def test_triangles_of_any_size_cover_the_same_pixels(opened):
    rng = np.random.default_rng(3)
    size = (320, 180)
    covered = coverage = ids = 0
    for extent, count in scenes.EXTENTS * 10:
        corners = scenes.random_triangles(rng, size, extent, count)
        a, b = (hits(opened, backend, size, corners).ids for backend in ("software", "opengl"))
        covered += (b >= 0).sum()
        coverage += ((a >= 0) != (b >= 0)).sum()
        ids += (a != b).sum()
    assert covered > 900_000
    # llvmpipe clips what reaches beyond twice the picture, and is off by less than a sub-pixel
    # then; and there are several times the edges of a scene
    assert coverage <= 4 * COVERAGE_PPM * 1e-6 * covered
    assert ids <= IDS_PPM * 1e-6 * covered


def test_coverage_is_what_integers_say(opened):
    size = (64, 32)
    rng = np.random.default_rng(5)
    covered = off = 0
    for extent, count in [(0.5, 2000), (2, 1000), (20, 100), (200, 20), (5000, 20)] * 2:
        corners = scenes.random_triangles(rng, size, extent, count)
        corners[..., :2] = np.rint(corners[..., :2] * 256) / 256
        corners[..., 2] = (np.arange(count) / count)[:, None]
        # Of every other triangle, one vertex lies on a pixel's centre
        corners[::2, 0, :2] = np.floor(corners[::2, 0, :2]) + 0.5
        expected = np.full(size[::-1], -1)
        for number, triangle in enumerate(corners):
            expected[exact_cover(triangle[:, :2], size)] = number
        assert (hits(opened, "software", size, corners).ids == expected).all()
        assert (hits(opened, "ladder", size, corners).ids == expected).all()
        covered += (expected >= 0).sum()
        off += (hits(opened, "opengl", size, corners).ids != expected).sum()
    assert covered > 8000
    assert off <= 2  # of llvmpipe


@pytest.mark.parametrize("offset", [0.49, -0.49])
def test_less_than_half_a_sub_pixel_moves_nothing(opened, offset):
    # Vertices are snapped to 1/256 pixel, so these two scenes are one
    size = (64, 64)
    rng = np.random.default_rng(4)
    corners = rng.integers(-5 * 256, 70 * 256, (300, 3, 3)) / 256
    corners[..., 2] = (np.arange(300) / 300)[:, None]

    def ids(backend, offset):
        moved = corners + np.array([offset, -offset, 0]) / 256
        return hits(opened, backend, size, moved).ids

    assert (ids("software", offset) == ids("software", 0)).all()
    assert (ids("opengl", offset) != ids("opengl", 0)).sum() <= 2
    assert (ids("software", 0.51) != ids("software", 0)).any()


def texels_seen(camera, size):
    """Where along a ramp of 256 texels, repeated, the floor's pixels lie, in float64: (h, w)."""
    floor = scenes.floor().meshes[0]
    width, height = size
    matrix = camera.projection(width / height).astype(float) @ camera.view
    # The ground's x, z, 1 to clip x, y, w, and back
    back = np.linalg.inv(matrix[[0, 1, 3]][:, [0, 2, 3]])
    y, x = np.mgrid[0:height, 0:width] + 0.5
    ground = np.stack([x * 2 / width - 1, y * 2 / height - 1, np.ones_like(x)], axis=2) @ back.T
    known = np.column_stack([floor.positions[:, [0, 2]], np.ones(4)])
    to_u = np.linalg.lstsq(known, floor.uv[:, 0].astype(float), rcond=None)[0]
    return ground @ to_u / ground[..., 2] * 256 - 0.5


@pytest.mark.parametrize("backend", ["software", "opengl", "ladder"])
@pytest.mark.parametrize("size", [(64, 64), (333, 217), (640, 360)])
def test_a_triangle_from_behind_the_eye_to_the_horizon_shows_the_right_texels(
    opened, backend, size
):
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[None, :, None], 3, axis=2)
    matt = Material(texture=ramp, specular=0, mipmaps=False)
    scene = replace(scenes.floor(), materials=[matt], lights=(), ambient=(1, 1, 1))
    for camera in scenes.FLOOR_VIEWS:
        picture = shoot(opened(backend, size), scene, camera)
        place = texels_seen(camera, size)
        step = sum(abs(gradient) for gradient in np.gradient(place))  # from pixel to pixel
        # Where the texture begins anew it is filtered across, between 255 and 0
        expected = place % 256
        sure = (picture.ids >= 0) & (expected > 8) & (expected < 247)
        assert sure.sum() > 0.4 * sure.size
        apart = abs(picture.color[..., 0] - expected)[sure]
        assert (apart <= 1.5 + 0.2 * step[sure]).all()


def slivers(rng, size, count, width):
    """Triangles 4 to 12 pixels long and `width` wide, with normals of their own."""
    angle = rng.uniform(0, 2 * np.pi, (count, 1))
    along = np.hstack([np.cos(angle), np.sin(angle)]) * rng.uniform(4, 12, (count, 1))
    across = np.hstack([-np.sin(angle), np.cos(angle)]) * width
    corners = np.zeros((count, 3, 3))
    corners[..., :2] = rng.uniform(0, 1, (count, 1, 2)) * size
    corners[:, 1, :2] += along
    corners[:, 2, :2] += along * rng.uniform(-0.2, 1.2, (count, 1)) + across
    normals = rng.normal(size=(count, 1, 3)) + 0.3 * rng.normal(size=(count, 3, 3)) + [0, 0, 2]
    normals /= np.linalg.norm(normals, axis=2, keepdims=True)
    return replace(scenes.soup(corners), normals=normals.reshape(-1, 3))


@pytest.mark.parametrize("width", [0.03, 0.1, 1])
@pytest.mark.parametrize("backend", ["software", "ladder"])
def test_slivers_have_the_colors_of_their_vertices(opened, backend, width):
    # What snapping moves is as much as they are wide: light is that of the vertices as they were
    size = (256, 128)
    mesh = slivers(np.random.default_rng(1), size, 4000, width)
    scene = Scene([mesh], [Material(double_sided=True)], scenes.LIGHTS)
    ours, gl = (shoot(opened(one, size), scene, scenes.Flat(size)) for one in (backend, "opengl"))
    same = (ours.ids == gl.ids) & (gl.ids >= 0)
    assert same.sum() > 50
    assert abs(ours.color.astype(int) - gl.color)[same].max() <= COLOR_MOST


def test_they_agree_on_what_the_near_plane_leaves(opened):
    views = [
        Camera(eye=(np.sin(k), 0.5, np.cos(k)), target=(0, 0.4, 0), near=near, fov_deg=80)
        for k in range(6)
        for near in (0.05, 0.5, 0.99)
    ]
    assert_agree(*both(opened, scenes.still_life(3000), views))


def test_they_agree_on_what_the_far_plane_leaves(opened):
    views = [
        Camera(eye=(np.sin(k), 1, 3), target=(0, 0.4, 0), near=0.5, far=far)
        for k in range(3)
        for far in (2.4, 3, 4)
    ]
    assert_agree(*both(opened, scenes.still_life(3000), views))


@pytest.mark.parametrize("scene", [Scene([], []), Scene([grid(1, 1)], [Material()], ())])
def test_they_agree_where_there_is_little_to_see(opened, scene):
    software, gl = both(opened, scene, [orbit(0, 10, 4)])
    assert (software[0].ids == gl[0].ids).all()
    assert abs(software[0].color.astype(int) - gl[0].color).max() <= 1
