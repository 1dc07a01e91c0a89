"""The overlay draws on a picture of its own."""

import numpy as np
import pytest

from guide_vision.pipeline import Frame, Observation, Overlay

POINTS = Observation(
    ids=np.array([1, 2]),
    points=np.array([[100, 200], [300, 220]], np.float32),
    steady=np.array([True, False]),
)
BOXES = Observation(
    ids=np.array([5]),
    points=np.array([[150, 150]], np.float32),
    boxes=np.array([[100, 100, 100, 100]], np.float32),
    steady=np.array([False]),
)


def gray_frame(height=360, width=640):
    return Frame(np.full((height, width, 3), 100, np.uint8), 0, 0, 0)


@pytest.mark.parametrize("seen", [POINTS, BOXES, Observation()])
def test_the_frame_itself_is_left_alone(seen):
    frame = gray_frame()
    kept = frame.image.copy()

    picture = Overlay().draw(frame, seen, ["title", "a line"])

    assert np.array_equal(frame.image, kept)
    assert not np.shares_memory(picture, frame.image)
    assert picture.shape == frame.image.shape


def test_marks_are_where_the_things_are():
    picture = Overlay().draw(gray_frame(), POINTS).astype(int)

    def changed(x, y):
        return np.abs(picture[y - 3 : y + 4, x - 3 : x + 4] - 100).max() > 50

    assert changed(100, 200)
    assert changed(300, 220)
    assert not changed(200, 300)


def test_a_trail_grows_behind_a_point_and_ends():
    overlay = Overlay()
    for k in range(60):
        seen = Observation(
            ids=np.array([0]),
            points=np.array([[40 + 8 * k, 200]], np.float32),
            steady=np.array([True]),
        )
        picture = overlay.draw(gray_frame(), seen)
    drawn = np.flatnonzero((picture[200] != 100).any(axis=1))

    assert drawn.max() == pytest.approx(40 + 8 * 59, abs=4)
    assert 60 < drawn.max() - drawn.min() < 160  # not all the way back


def test_the_canvas_is_reused():
    overlay = Overlay()
    first = overlay.draw(gray_frame(), POINTS)
    assert overlay.draw(gray_frame(), POINTS) is first


def test_a_tiny_picture_is_enlarged_so_that_text_can_be_read():
    assert Overlay().draw(gray_frame(144, 176), POINTS, ["title"]).shape == (288, 352, 3)


def test_a_frame_that_is_part_of_a_larger_picture_can_be_drawn():
    whole = np.zeros((400, 700, 3), np.uint8)
    picture = Overlay().draw(Frame(whole[20:380, 30:670], 0, 0, 0), POINTS, ["title"])
    assert picture.flags.c_contiguous
    assert not whole.any()
