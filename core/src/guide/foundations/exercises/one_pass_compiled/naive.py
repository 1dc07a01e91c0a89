"""A formula, as numpy takes it: an array for every sign."""

import numpy as np


def shade(a: np.ndarray, b: np.ndarray, c: np.ndarray) -> np.ndarray:
    """`sqrt(max(a * b + c - 0.5, 0)) * 2 + a` of each."""
    return np.sqrt(np.maximum(a * b + c - 0.5, 0.0)) * 2.0 + a
