"""From a loop in Python to eight pixels at once: every rung of the ladder draws the same."""

from dataclasses import replace

import numpy as np
import pytest

from guide.timing import Timeline
from guide_graphics.raster.ladder.renderer import LadderRenderer

from . import scenes
from .agreement import assert_agree, shoot
from .copies import python_ladder

UNIT = 1 / ((1 << 24) - 1)  # of depth


def without_mipmaps(scene):
    """The ladder takes a texture as it is, however far away."""
    return replace(scene, materials=[replace(m, mipmaps=False) for m in scene.materials])


def balls():
    """Triangles of a pixel and more, at 24 x 16 too."""
    whole = scenes.shapes()
    return without_mipmaps(replace(whole, meshes=[scenes.icosphere(1), *whole.meshes[2:]]))


SMALL = [(without_mipmaps(scenes.still_life(300)), view) for view in scenes.STILL_LIFE_VIEWS]
COARSE = [(balls(), view) for view in scenes.SHAPES_VIEWS]
LARGE = [(without_mipmaps(scenes.still_life(3000)), view) for view in scenes.STILL_LIFE_VIEWS] + [
    (without_mipmaps(scenes.shapes()), view) for view in scenes.SHAPES_VIEWS
]


def assert_same(ones, others):
    """The same triangles, depth to 2 units of 24 bits and colour to 2 steps."""
    for a, b in zip(ones, others, strict=True):
        assert (a.ids == b.ids).all()
        assert (abs(a.depth.astype(float) - b.depth) <= 2.5 * UNIT).all()
        assert (abs(a.color.astype(int) - b.color) <= 2).all()


def drawn(renderer, views):
    try:
        return [shoot(renderer, *view) for view in views]
    finally:
        renderer.close()


@pytest.fixture
def one_band():
    """Opens the ladder's renderer without bands: all rows in one."""

    def get(size):
        return LadderRenderer(size, Timeline(keep=10), threads=1, band_rows=size[1])

    return get


def test_compiled_the_loop_draws_what_python_does(tmp_path, one_band):
    size = (24, 16)
    python = drawn(python_ladder(tmp_path, size), SMALL)
    assert sum((picture.ids >= 0).sum() for picture in python) > 1000
    assert_same(python, drawn(one_band(size), SMALL))


def test_vectors_draw_what_python_does(opened, tmp_path):
    size = (24, 16)
    python = drawn(python_ladder(tmp_path, size), COARSE)
    vectors = [shoot(opened("software", size), *view) for view in COARSE]
    for a, b in zip(python, vectors, strict=True):
        assert (a.ids == b.ids).all()
    # The ladder takes depth from snapped corners; at this size that is seen
    assert_agree(python, vectors, depth_most=0.01)


def test_bands_and_threads_change_no_bit(opened, one_band):
    size = (333, 217)
    whole = drawn(one_band(size), LARGE)
    for threads in (1, 2, 5):
        renderer = opened("ladder", size, threads=threads)
        for picture, view in zip(whole, LARGE, strict=True):
            assert shoot(renderer, *view).same_bits(picture)


def test_vectors_draw_what_scalars_do(opened):
    size = (640, 360)
    scalar, vectors = (
        [shoot(opened(kind, size), *view) for view in LARGE] for kind in ("ladder", "software")
    )
    assert sum((picture.ids >= 0).sum() for picture in scalar) > 1_000_000
    assert_agree(scalar, vectors)


def test_a_frame_is_the_same_drawn_twice_by_python(tmp_path):
    renderer = python_ladder(tmp_path, (24, 16))
    one, other = (shoot(renderer, *SMALL[0]) for _ in range(2))
    assert one.same_bits(other)
    assert len(np.unique(one.ids)) > 50
