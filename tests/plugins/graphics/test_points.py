import numpy as np
import pytest

from guide.timing import Timeline
from guide_graphics.raster import Light, Material, Scene, disc, icosphere, open_renderer, orbit
from guide_graphics.raster.software.points import PointRenderer

SIZE = 160, 90


def drawn(scene, camera):
    return PointRenderer(SIZE, Timeline(keep=10)).render(scene, camera)


def exact(scene, camera):
    renderer = open_renderer(SIZE, "software", threads=1)
    frame = renderer.render(scene, camera)
    frame.depth, frame.ids  # noqa: B018
    renderer.close()
    return frame


@pytest.mark.parametrize("double_sided", [False, True])
def test_a_solid_is_where_it_is_as_deep_as_it_is_and_lit_from_the_same_side(double_sided):
    scene = Scene(
        [icosphere(3)],
        [Material((0.8, 0.2, 0.2), double_sided=double_sided, specular=0.0)],
        [Light((1, 0, 0))],
    )
    camera = orbit(10, 20, 3)
    points, frame = drawn(scene, camera), exact(scene, camera)
    there, wanted = points.ids >= 0, frame.ids >= 0
    assert there[wanted].mean() > 0.95
    assert (there & ~wanted).sum() < 0.1 * wanted.sum()
    both = there & wanted
    assert np.abs(points.depth - frame.depth)[both].max() < 0.05
    apart = points.color.astype(int) - frame.color
    assert np.abs(apart[both]).mean() < 8
    assert (points.color[~there] == frame.color[~there]).all(axis=1)[wanted[~there] == 0].all()


def test_ids_count_through_the_meshes():
    scene = Scene([disc(0.5), icosphere(1)], [Material()])
    seen = np.unique(drawn(scene, orbit(0, 0, 3)).ids)
    first = len(scene.meshes[0].triangles)
    assert (seen[1:] >= first).all()
    assert seen.max() < scene.triangle_count


def test_ground_that_reaches_behind_the_eye_is_ground_all_the_same():
    ids = drawn(Scene([disc(6.0)], [Material()]), orbit(30, 20, 4)).ids
    lower = ids[: SIZE[1] // 3]
    assert (lower >= 0).mean() > 0.3


@pytest.mark.parametrize("scene", [Scene([], []), Scene([icosphere(1)], [Material(alpha=0.0)])])
def test_nothing_to_see_is_the_background(scene):
    frame = drawn(scene, orbit(0, 0, 3))
    assert (frame.ids == -1).all()
    assert (frame.depth == 1).all()
    assert (frame.color == scene.background_rows(SIZE[1])[:, None]).all()
