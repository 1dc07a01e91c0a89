"""How many are near: points sorted into cells, nine of them looked at."""

import numpy as np
from numba import njit

SIDE = 65_536


@njit
def neighbours(points: np.ndarray, radius: int) -> np.ndarray:
    """For each point, how many others are within `radius`, as (n,) of int32."""
    count = len(points)
    # As wide as the radius, and not so narrow that there are more cells than points by far
    width = max(radius, SIDE // 256)
    cells = SIDE // width + 1
    # Counting sort: how many are in each cell, where its first one goes, then all to their place
    starts = np.zeros(cells * cells + 1, np.int32)
    cell_of = np.empty(count, np.int32)
    for i in range(count):
        cell_of[i] = points[i, 1] // width * cells + points[i, 0] // width
        starts[cell_of[i] + 1] += 1
    for cell in range(cells * cells):
        starts[cell + 1] += starts[cell]
    following = starts[:-1].copy()
    order = np.empty(count, np.int32)
    xs, ys = np.empty(count, np.int64), np.empty(count, np.int64)  # copied: read side by side
    for i in range(count):
        place = following[cell_of[i]]
        following[cell_of[i]] += 1
        order[place], xs[place], ys[place] = i, points[i, 0], points[i, 1]

    found = np.zeros(count, np.int32)
    for place in range(count):
        x, y = xs[place], ys[place]
        column, row = x // width, y // width
        near = -1  # itself
        for r in range(max(row - 1, 0), min(row + 2, cells)):
            # Three cells of a row are neighbours in memory too: one loop
            first = starts[r * cells + max(column - 1, 0)]
            last = starts[r * cells + min(column + 1, cells - 1) + 1]
            for other in range(first, last):
                dx, dy = x - xs[other], y - ys[other]
                near += dx * dx + dy * dy <= radius * radius
        found[order[place]] = near
    return found
