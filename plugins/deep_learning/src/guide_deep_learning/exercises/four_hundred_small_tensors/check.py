"""A step of AdamW, by numpy in double precision."""

import numpy as np

from guide.judge.compare import difference


def make_input(rng, case):
    """So many tensors, up to so many numbers in each."""
    count, most = case
    sizes = rng.integers(1, most + 1, count)
    total = int(sizes.sum())
    weights, gradients, mean = rng.normal(0, 1, (3, total)).astype(np.float32)
    square = rng.random(total, np.float32) + np.float32(0.01)
    decays = rng.random(count) < 0.5
    if count > 1:
        decays[:2] = True, False
    ends, step = np.cumsum(sizes), int(rng.integers(1, 1000))
    return weights, gradients, 0.1 * mean, square, ends, decays, step


def expected(weights, gradients, mean, square, ends, decays, step):
    """As it is written down in the paper on decoupled decay."""
    w, g, m, v = (one.astype(np.float64) for one in (weights, gradients, mean, square))
    w *= np.repeat(np.where(decays, 1 - 1e-3 * 0.1, 1.0), np.diff(ends, prepend=0))
    m = 0.9 * m + 0.1 * g
    v = 0.95 * v + 0.05 * g * g
    size = np.sqrt(v / (1 - 0.95**step)) + 1e-8
    return w - 1e-3 / (1 - 0.9**step) * m / size, m, v


def compare(got, want, *arguments):
    """Right to 1e-5; a decay that is missing is 1e-4 of a weight."""
    for name, one, other in zip(("weights", "mean", "square"), got, want, strict=True):
        if said := difference(one, other, atol=1e-5, rtol=1e-6):
            return f"{name}: {said}"
    return ""


def work(weights, *arguments):
    """Four are read and three are written; fourteen operations."""
    return {"bytes": 7 * weights.nbytes, "flops": 14 * weights.size}
