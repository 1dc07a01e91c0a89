"""Counts, exact."""

import numpy as np

from guide.judge.compare import difference


def make_input(rng, case):
    """So many bytes; some values far more often than others."""
    return (np.minimum(rng.geometric(0.02, case), 255).astype(np.uint8),)


def expected(data):
    """By numpy."""
    return np.bincount(data, minlength=256).astype(np.int64)


def compare(got, want, data):
    """Exact."""
    return difference(got, want)


def smaller(data):
    """Each half."""
    half = len(data) // 2
    if half:
        yield (data[:half].copy(),)
        yield (data[half:].copy(),)
