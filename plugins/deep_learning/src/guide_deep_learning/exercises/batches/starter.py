"""Batches without a position: yours to write."""

import numpy as np

_rng = np.random.default_rng(0)


def batch(data, seed, step, size, context):
    """The windows of step `step`, as (inputs, targets), each (size, context)."""
    starts = _rng.integers(len(data) - context - 1, size=size)
    windows = data[starts[:, None] + np.arange(context + 1)]
    return windows[:, :-1], windows[:, 1:]
