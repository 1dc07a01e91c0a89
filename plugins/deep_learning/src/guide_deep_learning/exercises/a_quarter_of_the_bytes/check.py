"""Products, by the float32 weights."""

import numpy as np


def make_input(rng, case):
    """Weights, the same as whole numbers with a scale for each row, and a vector."""
    weights = rng.standard_normal(case, np.float32)
    scales = (np.abs(weights).max(axis=1) / 127).astype(np.float32)
    integers = np.rint(weights / scales[:, None]).astype(np.int8)
    return weights, integers, scales, rng.standard_normal(case[1], np.float32)


def fresh(rng, last):
    """The same matrix with another vector."""
    weights, integers, scales, x = last
    return weights, integers, scales, rng.standard_normal(len(x), np.float32)


def expected(weights, integers, scales, x):
    """What float32 gives."""
    return weights @ x


def compare(got, want, weights, integers, scales, x):
    """Within 2 % of what such values are on average, root mean square."""
    if not isinstance(got, np.ndarray) or got.shape != want.shape or got.dtype != np.float32:
        return f"an array of {len(want)} float32 is wanted"
    error = float(np.sqrt(np.mean((got.astype(np.float64) - want) ** 2)))
    # Of a sum of so many products; not of `want`, in which they may cancel by chance.
    usual = float(np.linalg.norm(x)) * float(np.sqrt(np.mean(weights[:256] ** 2)))
    if error <= 0.02 * usual:
        return ""
    return f"it is off by {error / usual:.1%} of what such values are on average, 2% are allowed"


def work(weights, integers, scales, x):
    """The whole numbers are read; two operations each."""
    return {"bytes": integers.nbytes, "flops": 2 * weights.size}
