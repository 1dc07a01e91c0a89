"""Half a byte is even less."""

import numpy as np


def product(weights, integers, scales, x):
    few = np.rint(integers / np.float32(18)).astype(np.float32)
    return few @ x * scales * np.float32(18)
