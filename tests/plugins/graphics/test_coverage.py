"""The fill rule, on the nastiest input: a grid with every vertex on a pixel's centre."""

import numpy as np
import pytest

from guide_graphics.raster.ladder import coverage

SIDE = 24
STEP = 4


def squares():
    for x in range(0, SIDE, STEP):
        for y in range(0, SIDE, STEP):
            a, b, c, d = (
                (256 * (x + i), 256 * (y + j))
                for i, j in ((0, 0), (STEP, 0), (STEP, STEP), (0, STEP))
            )
            # both diagonals occur
            yield from ((a, b, c), (a, c, d)) if (x + y) % 8 else ((a, b, d), (b, c, d))


def hits(draw):
    count = np.zeros((SIDE, SIDE), int)
    for triangle in squares():
        record = np.array([*np.ravel(triangle), 0], np.int32)
        depth = np.full((SIDE, SIDE), coverage.FAR, np.int32)
        ids = np.full((SIDE, SIDE), -1, np.int32)
        draw(record, np.full(3, 0.5, np.float32), 0, SIDE, depth, ids)
        count += ids == 0
    return count


def test_every_pixel_is_hit_exactly_once():
    assert (hits(coverage.draw) == 1).all()


@pytest.mark.parametrize(
    "wrong",
    [
        lambda dx, dy: 0,
        lambda dx, dy: -1,
        lambda dx, dy: 0 if dy > 0 or (dy == 0 and dx < 0) else -1,  # bottom-right instead
        lambda dx, dy: 0 if dy < 0 or (dy == 0 and dx < 0) else -1,  # bottom-left
        lambda dx, dy: 0 if dy <= 0 else -1,  # every level edge
    ],
)
def test_a_wrong_rule_is_caught(monkeypatch, wrong):
    correct = hits(coverage.draw)
    monkeypatch.setattr(coverage, "bias", wrong)
    mutant = hits(coverage.draw.py_func)  # the same source, uncompiled: it sees the patch
    assert (mutant != correct).any()


def test_the_nearest_wins_and_of_equals_the_first():
    depth = np.full((8, 8), coverage.FAR, np.int32)
    ids = np.full((8, 8), -1, np.int32)
    for number, z in enumerate((0.5, 0.5, 0.7, 0.2)):
        record = np.array([0, 0, 4000, 0, 0, 4000, number], np.int32)
        coverage.draw(record, np.full(3, z, np.float32), 0, 8, depth, ids)
        assert ids[1, 1] == (3 if number == 3 else 0)
    assert depth[1, 1] == round(0.2 * coverage.FAR)


def test_depth_is_linear_over_the_triangle():
    depth = np.full((16, 16), coverage.FAR, np.int32)
    ids = np.full((16, 16), -1, np.int32)
    record = np.array([0, 0, 16 * 256, 0, 0, 16 * 256, 0], np.int32)
    coverage.draw(record, np.array([0.25, 0.5, 0.75], np.float32), 0, 16, depth, ids)
    y, x = np.nonzero(ids == 0)
    assert len(y) > 100
    expected = (0.25 + 0.25 * x / 16 + 0.5 * y / 16) * coverage.FAR
    assert abs(depth[y, x] - expected).max() <= 1
