"""Sums, against numpy's pairwise one."""

import math

import numpy as np


def make_input(rng, case):
    """A matrix of rows x columns."""
    return (rng.random(case),)


def fresh(rng, last):
    """The same matrix with other numbers here and there: no sum of before is right for it."""
    (matrix,) = last
    places = rng.integers(0, matrix.size, 64)
    matrix.reshape(-1)[places] = rng.random(64)
    return (matrix,)


def expected(matrix):
    """The sum."""
    return float(matrix.sum())


def compare(got, want, matrix):
    """Equal to 1e-9 of it."""
    if not isinstance(got, float):
        return f"a float is wanted, not {type(got).__name__}"
    if not math.isclose(got, want, rel_tol=1e-9, abs_tol=1e-12):
        return f"the sum is {want:.12g}, yours is {got:.12g}"
    return ""


def work(matrix):
    """Each number is read once and added once."""
    return {"bytes": matrix.nbytes, "flops": matrix.size}


def smaller(matrix):
    """Half the rows, half the columns."""
    rows, columns = matrix.shape
    if rows > 1:
        yield (np.ascontiguousarray(matrix[: rows // 2]),)
    if columns > 1:
        yield (np.ascontiguousarray(matrix[:, : columns // 2]),)
