"""A box, and every edge keeps its pixels: shared edges go to whoever comes last."""

import numpy as np
from numba import njit


@njit
def rasterize(triangles, width, height):
    ids = np.full((height, width), -1, np.int32)
    for number in range(len(triangles)):
        c = triangles[number]
        left, right = max((min(c[:, 0]) + 255) >> 8, 0), min(max(c[:, 0]) >> 8, width - 1)
        top, bottom = max((min(c[:, 1]) + 255) >> 8, 0), min(max(c[:, 1]) >> 8, height - 1)
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                inside = True
                for k in range(3):
                    ax, ay = c[k, 0], c[k, 1]
                    bx, by = c[(k + 1) % 3, 0], c[(k + 1) % 3, 1]
                    inside &= (bx - ax) * (256 * y - ay) - (by - ay) * (256 * x - ax) >= 0
                if inside:
                    ids[y, x] = number
    return ids
