"""The values, exact and in order."""

import numpy as np

from guide.judge.compare import difference


def make_input(rng, case):
    """So many bytes, at random."""
    return (rng.integers(0, 256, case).astype(np.uint8),)


def expected(values):
    """By a mask."""
    return values[values >= 128]


def compare(got, want, values):
    """Exact."""
    if isinstance(got, np.ndarray) and got.shape != want.shape:
        return f"{len(want):,} values are to be kept, {got.size:,} came"
    return difference(got, want)


def work(values):
    """Each is read, half of them are written."""
    return {"bytes": 1.5 * values.nbytes}


def smaller(values):
    """Each half."""
    half = len(values) // 2
    if half:
        yield (values[:half].copy(),)
        yield (values[half:].copy(),)
