"""A text, by numpy in double precision, with what is known kept."""

import numpy as np

from guide.judge.compare import difference


def make_input(rng, case):
    """So many positions of such a width."""
    count, width = case
    first = rng.normal(0, 1, width)
    first *= width**0.5 / np.linalg.norm(first)
    weights = rng.normal(0, width**-0.5, (4, width, width)).astype(np.float32)
    return first.astype(np.float32), tuple(weights), count


def fresh(rng, last):
    """Another beginning, for the same layer."""
    first, weights, count = last
    new = rng.normal(0, 1, len(first))
    new *= len(first) ** 0.5 / np.linalg.norm(new)
    return new.astype(np.float32), weights, count


def expected(first, weights, count):
    """Position by position."""
    query, key, value, out = (one.astype(np.float64) for one in weights)
    width = len(first)
    positions, keys, values = np.empty((3, count, width))
    positions[0] = first
    for n in range(1, count):
        newest = positions[n - 1]
        keys[n - 1], values[n - 1] = newest @ key, newest @ value
        likeness = keys[:n] @ (newest @ query) / width**0.5
        share = np.exp(likeness - likeness.max())
        new = newest + share / share.sum() @ values[:n] @ out
        positions[n] = new * (width**0.5 / np.linalg.norm(new))
    return positions


def compare(got, want, *arguments):
    """Right to 1e-3: a text is made of itself, so small errors grow a little."""
    return difference(got, want, atol=1e-3)


def smaller(first, weights, count):
    """A shorter text."""
    if count > 1:
        yield first, weights, count // 2
        yield first, weights, count - 1
