"""Coverage in integers: a third opinion, slow and short."""

import numpy as np

STEPS = 256  # sub-pixel positions along a pixel


def exact_cover(triangle, size):
    """Which pixels of a picture a triangle (3, 2) covers: (h, w) bool.

    Its vertices lie on multiples of 1/256 pixel, so nothing is rounded. The fill rule is put in
    another way than the renderers have it: a pixel's centre lies a little to the right of where it
    is, and far less upwards, so on no edge.
    """
    x, y = (STEPS * np.arange(n) + STEPS // 2 for n in size)
    corners = np.rint(np.asarray(triangle) * STEPS).astype(np.int64)
    sides = np.zeros((3, len(y), len(x)))
    for k in range(3):
        (ax, ay), (dx, dy) = corners[k], corners[k - 2] - corners[k]
        sides[k] = np.sign(dx * (y[:, None] - ay) - dy * (x - ax))
        sides[k][sides[k] == 0] = -np.sign(dy) or np.sign(dx)
    return (sides > 0).all(axis=0) | (sides < 0).all(axis=0)
