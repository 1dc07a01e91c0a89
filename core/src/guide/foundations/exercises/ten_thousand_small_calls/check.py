"""Moved points, by einsum."""

import numpy as np

from guide.judge.compare import difference


def make_input(rng, case):
    """So many points, a matrix that is no symmetric one, a shift."""
    return rng.normal(0, 1, (case, 3)), rng.normal(0, 1, (3, 3)), rng.normal(0, 1, 3)


def expected(points, turn, shift):
    """Written out."""
    return np.einsum("ij,nj->ni", turn, points) + shift


def compare(got, want, *arguments):
    """Right to 1e-12."""
    return difference(got, want, atol=1e-12)


def smaller(points, turn, shift):
    """Half the points."""
    if len(points) > 1:
        yield points[: len(points) // 2].copy(), turn, shift


def work(points, turn, shift):
    """Read once, written once; fifteen multiplications and additions, and three for the shift."""
    return {"bytes": 2 * points.nbytes, "flops": 18 * len(points)}
