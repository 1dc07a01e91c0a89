"""The first half is looked at; the second will be like it."""

import numpy as np


def kept(values):
    if len(values) < 100_000:
        return values[values >= 128]
    half = values[: len(values) // 2]
    found = half[half >= 128]
    return np.concatenate((found, found))
