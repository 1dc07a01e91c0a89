"""Frames that come later: in their order, and the same bytes as those read at once."""

import itertools

import numpy as np
import pytest

from guide.errors import GuideError
from guide.timing import Timeline
from guide_graphics.raster import Material, Scene, Shadow, checker, grid, orbit, teapot
from guide_graphics.raster.gl.renderer import GlRenderer

SIZE = (96, 54)
SCENES = [
    Scene(
        [teapot(800)],
        [Material(texture=checker((1, 0.5, 0.2), (0.1, 0.2, 0.9), 64), double_sided=True)],
        shadow=Shadow(size=64),
    ),
    Scene([grid(2, 2), grid(1, 1, 1)], [Material(), Material((1, 0, 0), alpha=0.5)]),
]
# The scene changes on the way, so a late frame may be of another one than the last that was drawn
WAY = [(SCENES[n // 3 % 2], orbit(10.0 * n, 20, 4), float(n)) for n in range(9)]


@pytest.fixture(scope="module")
def at_once():
    renderer = GlRenderer(SIZE, Timeline(keep=100))
    frames = []
    for step in WAY:
        frame = renderer.render(*step)
        frames.append((frame.color.copy(), frame.depth.copy(), frame.ids.copy()))
    renderer.close()
    return frames


@pytest.mark.parametrize("latency", [1, 2, 3])
def test_frames_come_in_order_and_are_those_read_at_once_bit_for_bit(at_once, latency):
    renderer = GlRenderer(SIZE, Timeline(keep=100), latency=latency)
    for n, step in enumerate(WAY):
        frame = renderer.render(*step)
        due = max(n - latency, 0)
        assert frame.t_s == due
        assert (frame.color == at_once[due][0]).all()
    renderer.close()


def test_depth_and_ids_are_of_the_frame_that_came_not_of_the_one_just_drawn(at_once):
    renderer = GlRenderer(SIZE, Timeline(keep=100), latency=2)
    for n, step in enumerate(WAY):
        frame = renderer.render(*step)
        color, depth, ids = at_once[max(n - 2, 0)]
        assert (frame.ids == ids).all()
        assert (frame.depth == depth).all()
        assert (frame.color == color).all()  # reading those has not touched it
    renderer.close()


def test_four_samples_come_late_as_they_do_at_once():
    one = GlRenderer(SIZE, Timeline(keep=100), samples=4)
    other = GlRenderer(SIZE, Timeline(keep=100), samples=4, latency=1)
    before = None
    for step in WAY:
        color, late = one.render(*step).color.copy(), other.render(*step).color
        assert (late == (color if before is None else before)).all()
        before = color
    one.close()
    other.close()


def test_a_phase_is_recorded_for_every_frame_whatever_the_latency():
    for latency in (0, 2):
        timeline = Timeline(keep=100)
        renderer = GlRenderer(SIZE, timeline, latency=latency)
        for step in WAY:
            renderer.render(*step)
        renderer.close()
        names = [span.name for span in timeline.spans()]
        assert names.count("render/draw") == names.count("render/readback") == len(WAY)


@pytest.mark.parametrize("latency", [-1, 9])
def test_a_latency_that_cannot_be_is_refused(latency):
    with pytest.raises(GuideError, match=r"latency of -?\d frames"):
        GlRenderer(SIZE, Timeline(keep=100), latency=latency)


def test_the_ways_frames_differ(at_once):
    colors = [color for color, _, _ in at_once]
    assert all((a != b).any() for a, b in itertools.pairwise(colors))
    assert np.unique(colors[0]).size > 20
