"""The figures on a frame."""

import numpy as np
import pytest

from guide.clock import VirtualClock
from guide.loop import Loop
from guide_graphics.raster import font
from guide_graphics.raster.hud import FRAMES, Hud

MS = 1_000_000


def loop_of(*work_ms, rate_hz=100, phases=("render/raster", "render/shade")):
    clock = VirtualClock()
    loop = Loop(rate_hz, "slip", ticks=len(work_ms), clock=clock)
    for tick in loop:
        for phase in phases:
            with tick.span(phase):
                clock.advance(round(work_ms[tick.index] * MS) // len(phases))
    return loop


def drawn(loop, size=(640, 360), channels=4, **about):
    image = np.full((size[1], size[0], channels), 128, np.uint8)
    Hud(loop).draw(image, "software", **about)
    return image


def reddish(image):
    r, g, b = (image[..., i].astype(int) for i in range(3))
    return (r > g + 60) & (r > b + 60)


def bluish(image):
    return image[..., 2].astype(int) > image[..., 0].astype(int) + 60


def columns_of(image):
    """For each of the graph's columns, how many of its dots are filled."""
    top = 4 + 6 + font.HEIGHT + 2
    graph = image[top : top + 40, 10 : 10 + FRAMES]
    return (reddish(graph) | bluish(graph)).sum(axis=0)


def test_the_newest_frames_stand_at_the_right_as_high_as_they_took():
    heights = columns_of(drawn(loop_of(*[3.0] * 10, *[6.0] * 10)))
    assert not heights[: FRAMES - 20].any(), "before the first there was none"
    short, tall = heights[FRAMES - 20 : FRAMES - 10], heights[FRAMES - 10 :]
    assert len(set(short)) == len(set(tall)) == 1
    assert tall[0] == pytest.approx(2 * short[0], abs=2)


def test_only_frames_that_missed_are_red():
    image = drawn(loop_of(*[5.0] * 30))
    assert not reddish(image).any()
    image = drawn(loop_of(*[5.0] * 30, 14.0, *[5.0] * 10))
    top = 4 + 6 + font.HEIGHT + 2
    columns = reddish(image[top : top + 40, 10 : 10 + FRAMES]).any(axis=0)
    assert columns.sum() == 1
    assert columns.argmax() == FRAMES - 11


def test_a_longer_phase_has_a_longer_bar():
    def blue(loop):
        lower = drawn(loop)[4 + 6 + 2 * (font.HEIGHT + 2) + 44 :]
        rows = bluish(lower).sum(axis=1)
        return [int(n) for n in rows[rows > 0]]

    short, long = (
        blue(loop_of(*[work] * 20, phases=("render/shade", "present"))) for work in (4.0, 8.0)
    )
    assert len(set(short)) == 1, "one phase, one bar: what is no phase of the renderer has none"
    assert long[0] == pytest.approx(2 * short[0], abs=2)


@pytest.mark.parametrize("size", [(1280, 720), (640, 360), (160, 90), (16, 16), (5, 3)])
@pytest.mark.parametrize("channels", [3, 4])
def test_it_fits_any_frame_and_leaves_the_rest_alone(size, channels):
    image = drawn(loop_of(*[5.0] * 5), size, channels)
    width, height = size
    assert (image[min(300, height) :] == 128).all()
    assert (image[:, min(420, width) :] == 128).all()


def test_alpha_stays_opaque_and_a_flipped_view_is_drawn_on_in_place():
    color = np.full((360, 640, 4), 255, np.uint8)
    Hud(loop_of(4.0)).draw(color[::-1], "opengl")
    assert (color[..., 3] == 255).all()
    assert (color[:200] == 255).all(), "row 0 is the bottom of the picture"
    assert (color[-50:, :100] != 255).any()


@pytest.mark.parametrize("rate_hz", [None, 60])
def test_it_can_be_drawn_before_the_first_frame_and_without_a_deadline(rate_hz):
    drawn(Loop(rate_hz, ticks=1, clock=VirtualClock()))
    drawn(loop_of(4.0, 5.0, rate_hz=rate_hz))


def test_lines_below_are_shown_when_they_change():
    hud, loop = Hud(loop_of(4.0)), (640, 360, 4)
    pictures = []
    for status in (["orbit"], ["orbit"], ["orbit, paused"], ["a line " * 30]):
        image = np.zeros(loop, np.uint8)
        hud.draw(image, "software", status)
        pictures.append(image)
    assert (pictures[0] == pictures[1]).all()
    assert (pictures[1] != pictures[2]).any()


def test_every_character_that_figures_need_has_dots_of_its_own():
    letters = "abcdefghijklmnopqrstuvwxyz"
    seen = {font.dots(c).tobytes() for c in letters + letters.upper() + "0123456789.,:/-%()"}
    assert len(seen) == 70
    assert not font.dots(" é\n").any()
