"""The formula, by numpy, outside."""

import numpy as np

from guide.judge.compare import difference


def make_input(rng, case):
    """Three arrays and one to write to, which holds rubbish."""
    return (*rng.random((3, case)), np.full(case, -1.0))


def fresh(rng, last):
    """The same with other numbers here and there."""
    for one in last[:3]:
        one[rng.integers(0, len(one), 64)] = rng.random(64)
    return last


def expected(a, b, c, out):
    """What the formula says."""
    return np.sqrt(np.maximum(a * b + c - 0.5, 0)) * 2 + a


def compare(got, want, *arguments):
    """Right to 1e-12."""
    return difference(got, want, atol=1e-12)


def work(a, b, c, out):
    """Three are read, one is written; six operations."""
    return {"bytes": 4 * a.nbytes, "flops": 6 * a.size}
