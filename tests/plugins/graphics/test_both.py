"""The two renderers side by side, and what they differ by."""

import math

import numpy as np
import pytest

from guide.clock import VirtualClock
from guide.errors import GuideError
from guide.timing import Timeline
from guide_graphics.raster import Material, Scene, open_renderer, orbit, teapot
from guide_graphics.raster.both import BothRenderer
from guide_graphics.raster.compare import amplified, difference

SCENE = Scene([teapot(500)], [Material((0.9, 0.5, 0.3), double_sided=True)])
CAMERA = orbit(20, 20, 3)


def picture(*changes):
    color = np.full((4, 5, 4), 100, np.uint8)
    color[..., 3] = 255
    for place, value in changes:
        color[place] = value
    return color


def test_equal_pictures_differ_by_nothing():
    apart = difference(picture(), picture())
    assert apart == (0, 0, math.inf)
    assert not amplified(picture(), picture())[..., :3].any()


def test_the_difference_is_counted_in_pixels_and_levels():
    other = picture(((0, 0, 0), 103), ((0, 0, 2), 99), ((3, 4, 1), 90), ((2, 2, 3), 0))
    apart = difference(picture(), other)
    assert (apart.pixels, apart.worst) == (2, 10), "alpha is no colour"
    mean = (3**2 + 1 + 10**2) / (4 * 5 * 3)
    assert apart.psnr_db == pytest.approx(10 * math.log10(255**2 / mean))
    assert difference(other, picture()) == apart


@pytest.mark.parametrize("gain", [1, 16, 100, 255])
def test_amplified_is_so_many_times_brighter_up_to_white(gain):
    levels = np.arange(256, dtype=np.uint8)
    a = np.zeros((1, 256, 4), np.uint8)
    b = np.repeat(levels[None, :, None], 4, axis=2)
    shown = amplified(a, b, gain)
    assert shown[0, :, 0].tolist() == [min(int(level) * gain, 255) for level in levels]
    assert (shown[..., 3] == 255).all()


def test_pictures_of_two_sizes_are_refused():
    with pytest.raises(GuideError, match="cannot be compared"):
        difference(picture(), np.zeros((4, 4, 4), np.uint8))


@pytest.fixture
def both():
    renderer = BothRenderer((160, 90), gain=16)
    yield renderer
    renderer.close()


def test_both_shows_what_the_two_differ_by(both):
    frame = both.render(SCENE, CAMERA)
    alone = []
    for backend in ("software", "opengl"):
        renderer = open_renderer((160, 90), backend)
        drawn = renderer.render(SCENE, CAMERA)
        alone.append((drawn.color.copy(), drawn.depth.copy(), drawn.ids.copy()))
        renderer.close()
    (software, depth, ids), (opengl, _, _) = alone
    assert (frame.color == amplified(software, opengl, 16)).all()
    assert both.difference == difference(software, opengl)
    assert both.difference.psnr_db > 45
    assert (frame.depth == depth).all()
    assert (frame.ids == ids).all()
    assert "OpenGL" in both.description


def test_phases_of_both_stand_on_one_timeline_under_their_names(both):
    both.timeline = timeline = Timeline(VirtualClock())
    both.render(SCENE, CAMERA)
    names = set(timeline.stats())
    assert {"render/software/shade", "render/opengl/readback", "render/compare"} <= names
    assert all(name.startswith("render/") for name in names)
    assert not {"render/shade", "render/readback"} & names


def test_a_second_close_does_nothing(both):
    both.close()
    both.close()
