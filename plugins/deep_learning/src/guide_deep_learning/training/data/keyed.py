"""Random words that are keyed by what they are for: an item, in an epoch, for a purpose.

A generator with a state gives what its callers drew before; which worker came first then decides
what an image looks like. Here the word is computed from its key alone, so neither the size of a
batch nor the number of workers can change it. numpy's Philox has one counter at a time; this one
takes an array of them, as a batch needs.

Philox4x32-10 of Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011), with the
answers that its authors published as a test.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

# Purposes never share a stream; the windows of `batches` use numpy's Philox with purpose 0.
ORDER, AUGMENT, SHAPES = 1, 2, 3

_LOW = np.uint64(0xFFFFFFFF)
_HALF = np.uint64(32)
_FACTORS = np.uint64(0xD2511F53), np.uint64(0xCD9E8D57)
_STEPS = 0x9E3779B9, 0xBB67AE85  # what each round adds to the key


def words(
    seed: int, purpose: int, epochs: ArrayLike, items: ArrayLike, block: int = 0
) -> NDArray[np.uint32]:
    """Four random words for each item, as (items, 4).

    Args:
        seed: of the training; the key, modulo 2^64.
        purpose: one of this module's constants.
        epochs: the epoch of each item, below 2^32; or one for all.
        items: their numbers, below 2^64.
        block: the next four words where four are too few, below 2^24.
    """
    numbers = np.atleast_1d(np.asarray(items)).astype(np.uint64)
    epoch = np.broadcast_to(np.asarray(epochs).astype(np.uint64), numbers.shape)
    what = np.full(numbers.shape, block << 8 | purpose, np.uint64)
    key = seed % 2**64
    return philox(
        (numbers & _LOW, numbers >> _HALF, epoch & _LOW, what), key & 2**32 - 1, key >> 32
    )


def philox(
    counter: tuple[NDArray[np.uint64], ...], low: int, high: int, rounds: int = 10
) -> NDArray[np.uint32]:
    """The four words of each counter, as (counters, 4).

    Args:
        counter: four arrays of one length, each of words below 2^32.
        low: the lower word of the key.
        high: its higher word.
        rounds: 10 is what the paper recommends; 7 passes its tests.
    """
    a, b, c, d = counter
    for _ in range(rounds):
        first, second = a * _FACTORS[0], c * _FACTORS[1]  # 32 by 32 bits: nothing is lost
        a, b = (second >> _HALF) ^ b ^ np.uint64(low), second & _LOW
        c, d = (first >> _HALF) ^ d ^ np.uint64(high), first & _LOW
        low, high = low + _STEPS[0] & 2**32 - 1, high + _STEPS[1] & 2**32 - 1
    return np.stack([a, b, c, d], axis=-1).astype(np.uint32)
