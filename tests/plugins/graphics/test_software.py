import numpy as np
import pytest

from guide.errors import GuideError
from guide_graphics.raster import (
    Camera,
    Light,
    Material,
    Mesh,
    Scene,
    disc,
    grid,
    marble,
    open_renderer,
    orbit,
    teapot,
)

FRONT = Camera(eye=(0, 0, 2), fov_deg=90)  # sees x and y from -2 to 2 at z = 0


def render(scene, camera=FRONT, size=(64, 64), threads=1):
    renderer = open_renderer(size, "software", threads=threads)
    try:
        return renderer.render(scene, camera)
    finally:
        renderer.close()


@pytest.fixture(scope="module")
def still_life():
    materials = [
        Material(texture=marble((1, 1, 1), (0, 0, 0.5), 64), double_sided=True),
        Material(),
    ]
    return Scene([teapot(3000), disc(3, material=1)], materials)


@pytest.mark.parametrize("azimuth", [0, 77, 200])
def test_the_image_is_the_same_for_any_number_of_threads(still_life, azimuth):
    one, two, five = (
        render(still_life, orbit(azimuth, 20, 3), (331, 187), threads) for threads in (1, 2, 5)
    )
    for other in (two, five):
        assert (one.color == other.color).all()
        assert (one.ids == other.ids).all()
        assert (one.depth == other.depth).all()


NOTHING = Mesh(np.empty((0, 3)), np.empty((0, 3)), np.empty((0, 2)), np.empty((0, 3)))


@pytest.mark.parametrize("meshes", [[], [NOTHING]])
def test_an_empty_scene_is_its_background(meshes):
    scene = Scene(meshes, [Material()])
    frame = render(scene)
    assert (frame.ids == -1).all()
    assert (frame.depth == 1).all()
    assert (frame.color == scene.background_rows(64)[:, None]).all()


def test_degenerate_triangles_draw_nothing():
    square = grid(1, 1)
    flat = Mesh(square.positions, square.normals, square.uv, [[0, 0, 1], [2, 2, 2], [1, 3, 1]])
    line = Mesh(square.positions * [1, 0, 1], square.normals, square.uv, square.triangles)
    assert (render(Scene([flat, line], [Material(double_sided=True)])).ids == -1).all()


def test_a_square_fills_its_pixels_and_no_others():
    ids = render(Scene([grid(2, 2)], [Material()])).ids
    inside = np.zeros((64, 64), bool)
    inside[16:48, 16:48] = True
    assert ((ids >= 0) == inside).all()
    assert set(np.unique(ids)) == {-1, *range(8)}


def test_triangles_are_numbered_through_all_meshes():
    near = np.eye(4)
    near[:3, 3] = -0.5, 0, 0.1
    ids = render(Scene([grid(1, 1), grid(1, 1).moved(near)], [Material()])).ids
    assert set(np.unique(ids)) == {-1, 0, 1, 2, 3}


def test_backs_are_culled_unless_the_material_is_double_sided():
    behind = Camera(eye=(0, 0, -2), fov_deg=90)
    assert (render(Scene([grid(1, 1)], [Material()]), behind).ids == -1).all()
    both = Scene([grid(1, 1)], [Material(double_sided=True)], [Light((0, 0, -1))], (0, 0, 0))
    frame = render(both, behind)
    assert (frame.ids >= 0).sum() == 32 * 32
    assert frame.color[32, 32, 0] > 200, "the back is lit from its own side"


def test_the_picture_has_its_top_row_first_and_the_texture_its_first_row_at_v_0():
    texture = np.zeros((2, 2, 3), np.uint8)
    texture[0, 0] = 250, 0, 0  # u, v near 0: bottom left
    texture[1, 1] = 0, 250, 0  # top right
    square = grid(1, 1)
    # onto the texels' centres, so that filtering mixes nothing there
    lit = Scene([square], [Material(texture=texture, specular=0)], (), (1.0, 1.0, 1.0))
    frame = render(lit)
    assert frame.rgb.shape == (64, 64, 3)
    assert frame.rgb[40, 23, 0] > 200, "red at the bottom left"
    assert frame.rgb[23, 40, 1] > 200, "green at the top right"
    assert frame.rgb[23, 23].max() < 60
    assert (frame.color[..., 3] == 255).all()


def test_a_square_is_lit_as_the_formula_says():
    light = Light((0, 3, 4), (0.5, 1.0, 0.25))
    material = Material((0.8, 0.5, 1.0), specular=0.0)
    frame = render(Scene([grid(1, 1)], [material], [light], (0.1, 0.2, 0.3)))
    expected = np.array([0.8, 0.5, 1.0]) * ([0.1, 0.2, 0.3] + np.array([0.5, 1, 0.25]) * 0.8) * 255
    assert abs(frame.color[32, 32, :3] - expected).max() <= 0.51


def test_interpolation_is_perspective_correct():
    # A floor's texture coordinate, against where the ray through each pixel meets the floor
    ramp = np.repeat(np.arange(256, dtype=np.uint8)[:, None, None], 3, axis=2)
    floor = Mesh(
        [[-9, 0, 0], [9, 0, 0], [9, 0, -8], [-9, 0, -8]],
        [[0, 1, 0]] * 4,
        [[0, 0.25], [0, 0.25], [0, 0.75], [0, 0.75]],
        [[0, 1, 2], [0, 2, 3]],
    )
    camera = Camera(eye=(0, 1, 0), target=(0, 1, -1), fov_deg=90)
    scene = Scene([floor], [Material(texture=ramp, specular=0)], (), (1.0, 1.0, 1.0))
    frame = render(scene, camera, (64, 64))
    rows = np.flatnonzero(frame.ids[:, 32] >= 0)
    away = 1 / (1 - (rows + 0.5) / 32)
    expected = (0.25 + away / 16) * 256 - 0.5
    assert len(rows) > 25
    assert abs(frame.color[rows, 32, 0] - expected).max() <= 1


def test_what_lies_behind_the_eye_is_cut_off_at_the_near_plane():
    # One huge square under the camera, its corners behind the eye, against the same square in
    # 40,000 pieces of which hardly any needs cutting
    def floor(pieces):
        mesh = grid(pieces, pieces)
        lying = mesh.positions[:, [0, 2, 1]] * [40, 1, -40]
        return Mesh(lying, np.tile([0, 1, 0], (len(lying), 1)), mesh.uv, mesh.triangles)

    camera = Camera(eye=(0.3, 1, 0.2), target=(1, 0.4, -3), near=0.05, far=200)
    material = [Material(texture=marble((1, 1, 1), (0, 0, 0), 64), specular=0)]
    whole = render(Scene([floor(1)], material), camera, (160, 90))
    pieces = render(Scene([floor(200)], material), camera, (160, 90))
    below = (whole.ids >= 0).mean()
    assert 0.5 < below < 0.95
    assert ((whole.ids >= 0) != (pieces.ids >= 0)).sum() <= 2
    both = (whole.ids >= 0) & (pieces.ids >= 0)
    difference = abs(whole.color[both].astype(int) - pieces.color[both])
    assert difference.max() <= 3


def test_all_behind_the_eye_is_nothing():
    away = Camera(eye=(0, 0, 2), target=(0, 0, 3))
    assert (render(Scene([grid(3, 3)], [Material(double_sided=True)]), away).ids == -1).all()


def test_many_clipped_triangles_fit_the_records():
    # Every triangle is a sliver through the near plane, so set-up makes more than there were
    square = grid(40, 1)
    lying = square.positions[:, [0, 2, 1]] * [5, 1, -50]
    mesh = Mesh(lying, square.normals, square.uv, square.triangles)
    camera = Camera(eye=(0, 0.5, 0), target=(0, 0.4, -1))
    ids = render(Scene([mesh], [Material(double_sided=True)]), camera).ids
    assert len(np.unique(ids)) > 20


@pytest.mark.parametrize("size", [(1, 1), (3, 17), (130, 1)])
def test_any_size_can_be_drawn(still_life, size):
    assert render(still_life, orbit(0, 20, 3), size).rgb.shape == (size[1], size[0], 3)


@pytest.mark.parametrize("size", [(0, 5), (5, 0), (9000, 5), (-1, -1)])
def test_what_is_no_size_is_refused(size):
    with pytest.raises(GuideError, match="cannot be drawn"):
        open_renderer(size, "software")


def test_phases_are_spans():
    renderer = open_renderer((32, 32), "software")
    renderer.render(Scene([grid(1, 1)], [Material()]), FRONT)
    assert list(renderer.timeline.stats()) == [
        f"render/{phase}" for phase in ("vertices", "setup", "raster", "shade")
    ]
    renderer.close()
    renderer.close()
