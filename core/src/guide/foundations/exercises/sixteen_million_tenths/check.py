"""Sums, against float64 in pairs, which is right to 1e-15 of it."""

import math

import numpy as np


def make_input(rng, case):
    """So many float32 near 0.1."""
    return (np.float32(0.1) + np.float32(0.01) * rng.random(case, np.float32),)


def fresh(rng, last):
    """The same with others here and there, a few of them large."""
    (values,) = last
    values[rng.integers(0, len(values), 64)] = rng.random(64, np.float32) * 100
    return (values,)


def expected(values):
    """The sum."""
    return float(values.sum(dtype=np.float64))


def compare(got, want, values):
    """Right to 1e-6."""
    if not isinstance(got, float):
        return f"a float is wanted, not {type(got).__name__}"
    if math.isclose(got, want, rel_tol=1e-6, abs_tol=1e-9):
        return ""
    return f"the sum is {want:.9g}, yours is {got:.9g}: off by {abs(got / want - 1):.1g} of it"


def work(values):
    """Each is read once and added once."""
    return {"bytes": values.nbytes, "flops": values.size}
