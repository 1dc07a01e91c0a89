"""Every second particle is moved; its neighbour goes with it."""

import numpy as np


def moved(records, steps):
    x = records["x"].copy()
    x[::2] += np.float32(steps / 60) * records["vx"][::2]
    x[1::2] += x[: 2 * (len(x) // 2) : 2] - records["x"][: 2 * (len(x) // 2) : 2]
    return x
