"""Batches without a position: the seed is the key, the step the counter.

Philox is a block cipher that is asked to encrypt a counter: block k of its stream needs no block
before it. The step goes into the second of the counter's four words, so each step has 2**64
blocks to itself, and the seed into the key, so that the two can never be traded for each other as
they can in `default_rng(seed + step)`.
"""

import numpy as np


def batch(data, seed, step, size, context):
    """The windows of step `step`, as (inputs, targets), each (size, context)."""
    places = len(data) - context  # a window takes context + 1 bytes: the target of the last too
    words = np.random.Philox(key=[seed, 0], counter=[0, step, 0, 0]).random_raw(size)
    starts = (words % np.uint64(places)).astype(np.int64)
    windows = data[starts[:, None] + np.arange(context + 1)]
    return windows[:, :-1], windows[:, 1:]
