"""A formula, as one writes it."""

import numpy as np


def shade(a: np.ndarray, b: np.ndarray, c: np.ndarray, out: np.ndarray) -> np.ndarray:
    """sqrt(max(a * b + c - 0.5, 0)) * 2 + a, into `out`, which is returned; all float64."""
    out[...] = np.sqrt(np.maximum(a * b + c - 0.5, 0)) * 2 + a
    return out
