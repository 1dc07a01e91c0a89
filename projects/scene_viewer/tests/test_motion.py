import numpy as np
import pytest

from scene_viewer.motion import SUN_DEG, TURN_S, camera_at, sun_at


def test_the_camera_is_back_where_it_was_after_a_turn():
    before, after = camera_at(1.0, 2.0), camera_at(1.0 + TURN_S, 2.0)
    assert after.eye == pytest.approx(before.eye)
    assert np.linalg.norm(np.subtract(camera_at(1.0 + TURN_S / 2, 2.0).eye, before.eye)) > 4


def test_the_sun_goes_round_at_one_height_or_stands_still():
    suns = np.array([sun_at(t_s, 10.0).direction for t_s in (0, 2.5, 5, 10)])
    assert np.degrees(np.arcsin(suns[:, 1])) == pytest.approx(SUN_DEG)
    assert suns[0] == pytest.approx(suns[3])
    assert suns[0, [0, 2]] == pytest.approx(-suns[2, [0, 2]])
    assert sun_at(7.0, 0.0) == sun_at(0.0, 0.0)
