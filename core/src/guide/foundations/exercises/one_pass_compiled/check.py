"""The formula, in numpy."""

import numpy as np

from guide.judge.compare import difference


def make_input(rng, case):
    """Three arrays."""
    return tuple(rng.random(case) for _ in range(3))


def fresh(rng, last):
    """One of the three anew, in places."""
    a, b, c = last
    if len(a):
        places = rng.integers(0, len(a), max(len(a) // 100, 1))
        a[places] = rng.random(len(places))
    return a, b, c


def expected(a, b, c):
    """As the task says it."""
    return np.sqrt(np.maximum(a * b + c - 0.5, 0.0)) * 2.0 + a


def compare(got, want, a, b, c):
    """To 1e-12."""
    return difference(got, want, rtol=1e-12, atol=1e-12)


def work(a, b, c):
    """Three are read, one is written."""
    return {"bytes": 4 * a.nbytes, "flops": 6 * a.size}


def smaller(a, b, c):
    """Each half."""
    half = len(a) // 2
    if half:
        yield tuple(one[:half].copy() for one in (a, b, c))
        yield tuple(one[half:].copy() for one in (a, b, c))
