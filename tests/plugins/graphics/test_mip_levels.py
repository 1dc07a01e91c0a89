"""Mip levels: small copies whose every texel can be worked out by hand."""

import numpy as np
import pytest

from guide_graphics.raster import checker
from guide_graphics.raster.textures import mip_levels


def grey(rows):
    return np.repeat(np.array(rows, np.uint8)[..., None], 3, axis=2)


@pytest.mark.parametrize(
    ("size", "expected"),
    [
        ((8, 8), [(8, 8), (4, 4), (2, 2), (1, 1)]),
        ((5, 7), [(5, 7), (2, 3), (1, 1)]),
        ((1, 6), [(1, 6), (1, 3), (1, 1)]),
        ((1, 1), [(1, 1)]),
    ],
)
def test_sides_are_halved_and_rounded_down_to_one_texel(size, expected):
    levels = mip_levels(np.zeros((*size, 3), np.uint8))
    assert [level.shape for level in levels] == [(*shape, 3) for shape in expected]


def test_a_texel_is_the_mean_of_four_rounded_half_up():
    one, two = mip_levels(grey([[0, 1], [0, 1]])), mip_levels(grey([[255, 255], [255, 254]]))
    assert one[1].ravel().tolist() == [1, 1, 1]
    assert two[1].ravel().tolist() == [255, 255, 255]


def test_the_last_texel_of_an_odd_side_is_left_out():
    assert mip_levels(grey([[10, 20, 200], [30, 40, 200], [200, 200, 200]]))[1].tolist() == [
        [[25, 25, 25]]
    ]


def test_a_side_of_one_texel_counts_twice():
    assert mip_levels(grey([[10, 20, 30, 40, 99]]))[1][0, :, 0].tolist() == [15, 35]


def test_channels_do_not_mix_and_the_mean_is_kept():
    levels = mip_levels(checker((1.0, 0.0, 0.5), (0.0, 1.0, 0.5), 64, 8))
    assert all(level.dtype == np.uint8 for level in levels)
    assert levels[-1].ravel().tolist() == [128, 128, 128]
    assert np.ptp(levels[0][..., 0]) == np.ptp(levels[3][..., 0]) == 255
