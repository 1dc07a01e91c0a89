"""The matrix of a shadow map, by points whose place in it is known."""

import numpy as np
import pytest

from guide_graphics.raster import Light, Shadow
from guide_graphics.raster.shadow import light_matrix

DIRECTIONS = [(0.4, 0.8, 0.45), (0, 1, 0), (0, -2, 0), (1, 0, 0), (0, 0, -3), (0.01, 5, 0.02)]


def placed(matrix, point):
    return (matrix @ np.array([*point, 1.0], np.float32))[:3]


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_the_sphere_fills_the_map(direction):
    shadow, light = Shadow(centre=(1.0, -2.0, 0.5), radius=2.5), Light(direction)
    matrix = light_matrix(shadow, light)
    towards = 2.5 * np.array(direction) / np.linalg.norm(direction)
    assert matrix.dtype == np.float32
    assert placed(matrix, shadow.centre) == pytest.approx([0, 0, 0], abs=1e-6)
    assert placed(matrix, shadow.centre + towards) == pytest.approx([0, 0, -1], abs=1e-6)
    assert placed(matrix, shadow.centre - towards) == pytest.approx([0, 0, 1], abs=1e-6)


@pytest.mark.parametrize("direction", DIRECTIONS)
def test_it_turns_and_scales_and_does_no_more(direction):
    linear = light_matrix(Shadow(radius=2.0), Light(direction))[:3, :3] * 2.0
    assert linear @ linear.T == pytest.approx(np.eye(3), abs=1e-6)
    # Seen from the light, right-handed, with depth that grows away from it
    assert np.linalg.det(linear) == pytest.approx(-1, abs=1e-6)


def test_up_in_the_map_is_y_or_z_when_the_light_stands_overhead():
    slanted = light_matrix(Shadow(), Light((1, 1, 0)))
    overhead = light_matrix(Shadow(), Light((0, 1, 0)))
    assert placed(slanted, (0, 1, 0))[1] > 0.2
    assert placed(overhead, (0, 0, 1))[1] == pytest.approx(1 / 3)
