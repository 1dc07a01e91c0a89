"""The formula, in the memory that was given."""

import numpy as np


def shade(a: np.ndarray, b: np.ndarray, c: np.ndarray, out: np.ndarray) -> np.ndarray:
    """sqrt(max(a * b + c - 0.5, 0)) * 2 + a, into `out`, which is returned; all float64."""
    block = 16_384  # 128 KB: what is written stays near until the next line reads it
    for start in range(0, len(a), block):
        part = slice(start, start + block)
        x = out[part]
        np.multiply(a[part], b[part], out=x)
        np.add(x, c[part], out=x)
        np.subtract(x, 0.5, out=x)
        np.maximum(x, 0, out=x)
        np.sqrt(x, out=x)
        np.multiply(x, 2, out=x)
        np.add(x, a[part], out=x)
    return out
