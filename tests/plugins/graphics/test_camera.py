import numpy as np
import pytest

from guide.errors import GuideError
from guide_graphics.raster import Camera, orbit


def seen(camera, point, aspect=2.0):
    clip = camera.projection(aspect) @ camera.view @ np.array([*point, 1])
    return clip[:3] / clip[3]


def test_the_target_is_in_the_middle_and_up_is_up():
    camera = Camera(eye=(3, 4, 5), target=(1, 1, 1))
    assert seen(camera, (1, 1, 1))[:2] == pytest.approx([0, 0], abs=1e-6)
    assert seen(camera, (1, 1.2, 1))[1] > 0.01


def test_near_and_far_are_the_ends_of_depth():
    camera = Camera(eye=(0, 0, 0), target=(0, 0, -1), near=0.5, far=8)
    assert seen(camera, (0, 0, -0.5))[2] == pytest.approx(-1, abs=1e-6)
    assert seen(camera, (0, 0, -8))[2] == pytest.approx(1, abs=1e-6)


def test_the_angle_of_view_is_vertical():
    camera = Camera(eye=(0, 0, 0), target=(0, 0, -1), fov_deg=90)
    assert seen(camera, (4, 2, -2)) == pytest.approx([1, 1, 0.902], abs=1e-3)


def test_matrices_are_row_major_float32():
    camera = orbit(10, 20, 3)
    assert camera.view.dtype == camera.projection(1).dtype == np.float32
    assert camera.view[3].tolist() == [0, 0, 0, 1]


@pytest.mark.parametrize(("azimuth", "axis"), [(0, [0, 0, 1]), (90, [1, 0, 0]), (180, [0, 0, -1])])
def test_orbit_goes_round_the_target(azimuth, axis):
    eye = np.subtract(orbit(azimuth, 0, 2, target=(1, 2, 3)).eye, (1, 2, 3))
    assert eye == pytest.approx(np.multiply(axis, 2), abs=1e-9)


@pytest.mark.parametrize(
    "wrong",
    [
        {"eye": (0, 0, 0)},
        {"eye": (0, 5, 0)},
        {"eye": (np.nan, 0, 1)},
        {"eye": (0, 0, 1), "fov_deg": 180},
        {"eye": (0, 0, 1), "near": 0},
        {"eye": (0, 0, 1), "near": 2, "far": 1},
    ],
)
def test_what_is_no_camera_is_refused(wrong):
    with pytest.raises(GuideError):
        Camera(**wrong)
