"""Half as many bytes, and half as many digits."""

import numpy as np


def shade(a, b, c):
    a, b, c = (one.astype(np.float32) for one in (a, b, c))
    return (np.sqrt(np.maximum(a * b + c - 0.5, 0)) * 2 + a).astype(np.float64)
