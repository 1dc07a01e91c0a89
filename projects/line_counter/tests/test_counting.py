"""Each thing is counted once for each time it really crosses."""

import numpy as np
import pytest

from line_counter.counting import Line, LineCounter, feet

UP_THE_MIDDLE = Line(50, 100, 50, 0)  # to the right of it is where x is above 50


def walk(counter, xs, identity=1, y=50.0):
    return [counter.update(np.array([identity]), np.array([[x, y]], np.float32)) for x in xs]


def test_a_walk_across_is_counted_once_with_its_direction():
    counter = LineCounter(UP_THE_MIDDLE, margin=5)
    walk(counter, range(20, 81, 4))
    assert (counter.entered, counter.left) == (1, 0)
    walk(counter, range(80, 19, -4))
    assert (counter.entered, counter.left) == (1, 1)


def test_who_wavers_on_the_line_is_not_counted():
    counter = LineCounter(UP_THE_MIDDLE, margin=5)
    walk(counter, [40, 48, 52, 47, 53, 46, 40])
    assert counter.total == 0


def test_who_appears_on_the_other_side_has_not_crossed():
    counter = LineCounter(UP_THE_MIDDLE)
    walk(counter, [80, 70], identity=1)
    walk(counter, [20, 30], identity=2)
    assert counter.total == 0


def test_a_leap_in_one_frame_counts():
    counter = LineCounter(UP_THE_MIDDLE)
    assert walk(counter, [10, 90]) == [[], [(1, True)]]


def test_beyond_the_ends_of_the_line_there_is_none():
    counter = LineCounter(Line(50, 100, 50, 60))
    walk(counter, range(20, 81, 4), y=30.0)
    assert counter.total == 0
    walk(counter, range(20, 81, 4), identity=2, y=80.0)
    assert counter.total == 1


def test_nobody_is_nothing():
    counter = LineCounter(UP_THE_MIDDLE)
    assert counter.update(np.zeros(0, np.int64), np.zeros((0, 2), np.float32)) == []


def test_feet_are_at_the_bottom():
    assert feet(np.array([[10, 20, 4, 30]], np.float32)).tolist() == [[12, 50]]


def test_a_line_is_typed_as_shares_of_the_picture():
    assert Line.parse("0.5,0,0.5,1", 200, 100) == Line(100, 0, 100, 100)
    for text in ("", "0.5", "a b c d", "0 0 0 0", "0 0 2 1", "nan 0 1 1"):
        with pytest.raises(ValueError, match="line"):
            Line.parse(text, 200, 100)
