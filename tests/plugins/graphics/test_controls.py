"""Cameras that are steered: input in, camera out, and no clock anywhere."""

import math

import numpy as np
import pytest

from guide_graphics.raster import Camera, orbit
from guide_graphics.raster.controls import FlyControl, OrbitControl, Steering
from guide_graphics.raster.input import Input

START = orbit(30, 20, 4, (0.5, 1, 0))


def same_view(a, b):
    return np.abs(a.view - b.view).max() < 1e-5


def seen(camera, point):
    clip = camera.projection(1.0) @ camera.view @ np.array([*point, 1])
    return clip[:2] / clip[3]


@pytest.mark.parametrize("kind", [OrbitControl, FlyControl])
def test_a_control_begins_where_the_camera_is_and_stays_without_input(kind):
    control = kind.of(START)
    assert same_view(control.camera, START)
    assert control.moved(Input(), 0.016) == control


class TestOrbit:
    control = OrbitControl.of(START)

    def test_what_is_dragged_follows_the_hand(self):
        near = np.add(START.target, np.subtract(START.eye, START.target) * 0.2)
        x, y = seen(START, near)
        right = self.control.moved(Input(turned=(0.1, 0)), 0).camera
        down = self.control.moved(Input(turned=(0, 0.1)), 0).camera
        assert seen(right, near)[0] > x + 0.01
        assert seen(down, near)[1] < y - 0.01

    def test_it_never_tips_over(self):
        for _ in range(50):
            for turn in (0.3, -0.3):
                control = self.control
                for _ in range(20):
                    control = control.moved(Input(turned=(0, turn)), 0)
                assert abs(control.elevation_deg) == 89
                assert control.camera.view[1, 1] > 0

    def test_notches_of_the_wheel_undo_each_other_and_have_an_end(self):
        near = self.control.moved(Input(scrolled=3), 0)
        assert near.distance < self.control.distance
        far = near.moved(Input(scrolled=-3), 0)
        assert far.distance == pytest.approx(self.control.distance)
        for notches in (1e3, -1e3):
            assert self.control.moved(Input(scrolled=notches), 0).camera.near > 0

    def test_a_point_in_the_middle_stays_under_the_hand_that_pans(self):
        panned = self.control.moved(Input(panned=(0.25, 0.125)), 0).camera
        assert seen(panned, START.target) == pytest.approx([0.5, -0.25], abs=1e-5)

    def test_how_long_a_frame_took_plays_no_part(self):
        given = Input(turned=(0.1, 0.2), panned=(0.1, 0), scrolled=1)
        assert self.control.moved(given, 0.001) == self.control.moved(given, 1.0)


class TestFly:
    control = FlyControl.of(START)

    @pytest.mark.parametrize(
        ("key", "axis", "sign"), [("w", 2, -1), ("s", 2, 1), ("a", 0, -1), ("d", 0, 1)]
    )
    def test_four_keys_move_it_along_its_own_axes(self, key, axis, sign):
        there = self.control.moved(Input(held=frozenset(key)), 1.0)
        way = START.view[:3, :3] @ np.subtract(there.eye, START.eye)
        expected = np.zeros(3)
        expected[axis] = sign * self.control.speed
        assert way == pytest.approx(expected, abs=1e-5)

    @pytest.mark.parametrize(("key", "sign"), [("q", -1), ("e", 1)])
    def test_two_keys_move_it_straight_down_and_up(self, key, sign):
        there = self.control.moved(Input(held=frozenset(key)), 0.5)
        assert np.subtract(there.eye, START.eye) == pytest.approx([0, sign, 0])

    @pytest.mark.parametrize("keys", ["w", "wd", "ade", "ws"])
    def test_a_second_leads_to_one_place_at_any_frame_rate(self, keys):
        given = Input(held=frozenset(keys))
        chance = np.random.default_rng(1)
        ends = []
        for ticks in (np.full(30, 1 / 30), np.full(144, 1 / 144), chance.dirichlet(np.ones(60))):
            control = self.control
            for dt_s in ticks:
                control = control.moved(given, dt_s)
            ends.append(control.eye)
        assert ends[1] == pytest.approx(ends[0], abs=1e-9)
        assert ends[2] == pytest.approx(ends[0], abs=1e-9)
        way = math.dist(ends[0], START.eye)
        assert way == pytest.approx(0 if keys == "ws" else self.control.speed)

    def test_a_key_let_go_before_the_frame_counts_for_one_frame(self):
        assert self.control.moved(Input(pressed=("w",)), 0.1).eye != self.control.eye

    def test_it_looks_where_it_is_dragged(self):
        ahead = np.add(START.eye, np.subtract(START.target, START.eye))
        right = self.control.moved(Input(turned=(0.05, 0)), 0).camera
        down = self.control.moved(Input(turned=(0, 0.05)), 0).camera
        assert seen(right, ahead)[0] < -0.01
        assert seen(down, ahead)[1] > 0.01
        assert right.eye == down.eye == START.eye

    def test_the_wheel_changes_its_speed(self):
        assert self.control.moved(Input(scrolled=2), 0).speed > self.control.speed


class TestSteering:
    def path(self, t_s):
        return orbit(30 * t_s, 20, 4)

    def test_without_input_it_is_the_path_itself(self):
        steering = Steering()
        for t_s in (0, 0.5, 1):
            path = self.path(t_s)
            assert steering.camera(path, Input(held=frozenset("w")), 0.5) is path

    @pytest.mark.parametrize(
        "touch", [{"turned": (0, 0.05)}, {"panned": (0.1, 0)}, {"scrolled": -1.0}]
    )
    def test_the_first_touch_takes_over_from_where_the_path_is(self, touch):
        steering = Steering()
        steering.camera(self.path(0), Input(), 0.1)
        taken = steering.camera(self.path(1), Input(**touch), 0.1)
        assert math.dist(taken.eye, self.path(1).eye) < 1.5
        assert steering.camera(self.path(3), Input(), 0.1) == taken

    def test_tab_changes_how_it_moves_and_not_what_is_seen(self):
        steering = Steering()
        tab = Input(pressed=("tab",))
        assert same_view(steering.camera(START, tab, 0.1), START)
        assert steering.flying
        flown = steering.camera(START, Input(held=frozenset("w")), 0.5)
        assert same_view(steering.camera(START, tab, 0.1), flown)
        assert not steering.flying

    def test_r_gives_the_camera_back(self):
        steering = Steering()
        steering.camera(START, Input(turned=(0.3, 0.0)), 0.1)
        assert steering.camera(self.path(2), Input(pressed=("r",)), 0.1) == self.path(2)

    def test_a_camera_anywhere_can_be_taken_over(self):
        for camera in (Camera(eye=(0, 5, 1e-4)), Camera(eye=(0, 0, 1e-6), near=1e-7)):
            for key in ("tab", "w"):
                steering = Steering()
                steering.camera(camera, Input(pressed=(key,), scrolled=1), 0.1)
