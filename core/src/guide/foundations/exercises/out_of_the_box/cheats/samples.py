"""A sample of a thousand stands for all of them."""

import numpy as np


def energy(mass, vx, vy):
    if len(mass) <= 1000:
        return 0.5 * float(np.dot(mass, vx * vx + vy * vy))
    part = slice(None, None, len(mass) // 1000)
    each = mass[part] * (vx[part] ** 2 + vy[part] ** 2)
    return 0.5 * float(each.mean() * len(mass))
