"""The order, exact."""

import numpy as np

from guide.judge.compare import difference


def make_input(rng, case):
    """So many keys up to a largest one."""
    count, largest = case
    return (rng.integers(0, largest, count, endpoint=True).astype(np.uint32),)


def expected(keys):
    """By numpy."""
    return np.argsort(keys, kind="stable")


def compare(got, want, keys):
    """Exact, whatever integers it is made of."""
    return difference(got, want)


def smaller(keys):
    """Each half; their low digits alone."""
    half = len(keys) // 2
    if half:
        yield (keys[:half].copy(),)
        yield (keys[half:].copy(),)
    if keys.size and keys.max() > 255:
        yield (keys & np.uint32(255),)
