"""What must not change the picture, not by one bit: threads, tiles, what was drawn before."""

import numpy as np
import pytest

from guide_graphics.raster import Camera, Material, Scene, grid, orbit

from . import scenes
from .agreement import assert_agree, shoot

SIZE = (331, 187)


def crowd():
    """Triangles of every size, through the near plane, in front of and behind one another."""
    rng = np.random.default_rng(8)
    meshes = []
    for extent, count in scenes.EXTENTS:
        corners = scenes.random_triangles(rng, (8, 8), extent / 40, min(count, 1500)) - [4, 4, 0]
        corners[..., 2] *= 4
        meshes.append(scenes.soup(corners))
    return Scene(meshes, [Material(double_sided=True)], scenes.LIGHTS)


VIEWS = [
    (scenes.still_life(3000), scenes.STILL_LIFE_VIEWS[0]),
    (scenes.still_life(3000), scenes.STILL_LIFE_VIEWS[4]),
    (scenes.floor(), scenes.FLOOR_VIEWS[0]),
    (crowd(), Camera(eye=(0, 0.5, 5), near=0.5)),
    (scenes.layers(), scenes.LAYERS_VIEWS[1]),
]


@pytest.fixture(scope="module")
def reference(opened):
    return [shoot(opened("tiles", SIZE, threads=1), *view) for view in VIEWS]


@pytest.mark.parametrize("tile_bits", [4, 5, 6])
@pytest.mark.parametrize("threads", [1, 2, 3, 5])
def test_neither_threads_nor_tiles_change_a_bit(opened, reference, threads, tile_bits):
    renderer = opened("tiles", SIZE, threads=threads, tile_bits=tile_bits)
    for view, picture in zip(VIEWS, reference, strict=True):
        assert shoot(renderer, *view).same_bits(picture)


@pytest.mark.parametrize("threads", [1, 3])
@pytest.mark.parametrize("size", [(1, 1), (15, 17), (64, 64), (65, 63), (700, 9), (9, 700)])
def test_sizes_about_those_of_tiles_are_whole(opened, size, threads):
    for tile_bits in (4, 6):
        renderer = opened("tiles", size, threads=threads, tile_bits=tile_bits)
        for view in VIEWS:
            assert shoot(renderer, *view).same_bits(shoot(opened("software", size), *view))


@pytest.mark.parametrize("backend", ["software", "opengl", "ladder"])
def test_what_was_drawn_before_leaves_no_trace(opened, backend):
    renderer = opened(backend, SIZE)
    first = [shoot(renderer, *view) for view in VIEWS]
    for k in (0, 0, 3, 1, 4, 0, 2, 2, 3):
        assert shoot(renderer, *VIEWS[k]).same_bits(first[k])


@pytest.mark.parametrize("backend", ["software", "opengl"])
def test_a_moved_mesh_is_as_a_new_one(opened, backend):
    scene = scenes.shapes()
    renderer = opened(backend, SIZE)
    camera = scenes.SHAPES_VIEWS[0]
    shoot(renderer, scene, camera)
    meshes = [
        mesh.moved(scenes.place(k - 1, 0.2, 0, 0.5, 40)) for k, mesh in enumerate(scene.meshes)
    ]
    moved = Scene(meshes, scene.materials, scene.lights[::-1])
    fresh = shoot(opened(backend, SIZE, threads=1), moved, camera)
    assert shoot(renderer, moved, camera).same_bits(fresh)


@pytest.mark.parametrize("backend", ["software", "opengl"])
@pytest.mark.parametrize("order", [(2, 1, 0), (1, 2, 0), (0, 2, 1)])
def test_the_order_of_meshes_does_not_matter_where_none_touch(opened, backend, order):
    scene, camera = scenes.shapes(), orbit(310, 20, 4)
    permuted = Scene([scene.meshes[k] for k in order], scene.materials, scene.lights)
    one, other = (shoot(opened(backend, SIZE), s, camera) for s in (scene, permuted))
    assert (one.color == other.color).all()
    assert (one.depth == other.depth).all()
    assert (named(scene, one.ids) == named(permuted, other.ids, order)).all()


def named(scene, ids, order=(0, 1, 2)):
    """Ids as the mesh in the original order and the triangle in it."""
    counts = [len(mesh.triangles) for mesh in scene.meshes]
    names = [mesh * 1_000_000 + k for mesh, n in zip(order, counts, strict=True) for k in range(n)]
    return np.array([*names, -1])[ids]  # -1 is the last


@pytest.mark.parametrize("backend", ["software", "opengl", "ladder"])
def test_of_two_at_one_depth_the_first_is_seen(opened, backend):
    pane = grid(1, 1)
    scene = Scene([pane, grid(3, 2), pane], [Material()])
    ids = shoot(opened(backend, SIZE), scene, Camera(eye=(0, 0, 4))).ids
    assert set(np.unique(ids)) == {-1, 0, 1}


QUARTERS = [(column, row) for column in (0, 1) for row in (0, 1)]


def quarter(picture, column, row):
    height, width = (n // 2 for n in picture.ids.shape)
    part = np.s_[row * height : (row + 1) * height, column * width : (column + 1) * width]
    return type(picture)(*(getattr(picture, name)[part] for name in picture.__dataclass_fields__))


@pytest.mark.parametrize("backend", ["software", "opengl"])
def test_four_quarters_are_the_whole(opened, backend):
    whole, parts = [], []
    for view in scenes.STILL_LIFE_VIEWS:
        picture = shoot(opened(backend, (640, 360)), scenes.still_life(), view)
        for column, row in QUARTERS:
            part = scenes.Part(view, column, row)
            parts.append(plain(shoot(opened(backend, (320, 180)), scenes.still_life(), part)))
            whole.append(plain(quarter(picture, column, row)))
    assert_agree(parts, whole)


@pytest.mark.parametrize("backend", ["software", "ladder"])
def test_where_all_is_exact_so_are_the_quarters(opened, backend):
    # Vertices on sub-pixel positions, a picture of powers of two, no perspective
    size = (256, 128)
    corners = scenes.random_triangles(np.random.default_rng(2), size, 30, 200)
    corners[..., :2] = np.rint(corners[..., :2] * 256) / 256
    corners[..., 2] = (np.arange(200) / 256)[:, None]
    scene = Scene([scenes.soup(corners)], [Material(double_sided=True, specular=0)])
    picture = shoot(opened(backend, size), scene, scenes.Flat(size))
    for column, row in QUARTERS:
        part = scenes.Part(scenes.Flat(size), column, row)
        found = shoot(opened(backend, (128, 64)), scene, part)
        expected = quarter(picture, column, row)
        assert (found.ids == expected.ids).all()
        assert (found.depth == expected.depth).all()
        same = found.ids >= 0
        assert abs(found.color.astype(int) - expected.color)[same].max() <= 1


def plain(picture):
    """Without the background: a quarter's runs from bottom to top as the whole's does."""
    color = np.where(picture.ids[..., None] >= 0, picture.color, 0).astype(np.uint8)
    return type(picture)(color, picture.ids, picture.depth, picture.ids >= 0)


@pytest.mark.parametrize("backend", ["software", "opengl"])
def test_twice_the_resolution_averages_to_the_same(opened, backend):
    for view in scenes.STILL_LIFE_VIEWS[:3]:
        fine = shoot(opened(backend, (640, 360)), scenes.still_life(), view).color[..., :3]
        coarse = shoot(opened(backend, (320, 180)), scenes.still_life(), view).color[..., :3]
        mean = fine.reshape(180, 2, 320, 2, 3).mean(axis=(1, 3))
        assert abs(mean - coarse).mean() < 4
        assert abs((mean - coarse).mean()) < 0.5
