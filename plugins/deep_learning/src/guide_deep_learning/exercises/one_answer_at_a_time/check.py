"""Scores, by numpy in double precision."""

from itertools import pairwise

import numpy as np

from guide.judge.compare import difference


def make_input(rng, case):
    """So many requests of such a width, and three layers."""
    count, width = case
    sizes = [width, width, width, 10]
    layers = []
    for before, after in pairwise(sizes):
        weight = rng.normal(0, (2 / before) ** 0.5, (after, before)).astype(np.float32)
        layers.append((weight, rng.normal(0, 0.1, after).astype(np.float32)))
    return rng.normal(0, 1, (count, width)).astype(np.float32), layers


def expected(requests, layers):
    """Layer by layer."""
    x = requests.astype(np.float64)
    for number, (weight, bias) in enumerate(layers):
        x = x @ weight.T.astype(np.float64) + bias
        if number < len(layers) - 1:
            x = np.maximum(x, 0)
    return x


def compare(got, want, *arguments):
    """Right to 1e-4."""
    return difference(got, want, atol=1e-4)


def smaller(requests, layers):
    """Half of the requests."""
    if len(requests) > 1:
        yield requests[: len(requests) // 2].copy(), layers


def work(requests, layers):
    """Two operations for each weight and request."""
    return {"flops": sum(2 * len(requests) * weight.size for weight, _ in layers)}
