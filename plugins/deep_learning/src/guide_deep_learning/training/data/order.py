"""The order of items in an epoch as a pure function of (seed, epoch): no sampler, no position.

An epoch is a permutation of all items, so each is seen once. A restart needs one integer: the
step, or the cursor, which counts items from the first epoch on.

Up to 2^18 items the permutation is an array, sorted by random words and kept for the epochs in
use: exact, at most 2 MB, measured 8 ms once an epoch of 60,000. Above that it is computed place by
place in constant memory: a billion items would be 8 GB of array, and minutes of sorting at every
epoch. It is a Feistel network over the smallest even number of bits that holds all items (Luby and
Rackoff, "How to construct pseudorandom permutations", 1988); a number that falls outside is sent
through again until it is inside, fewer than four times on average, which keeps a bijection one
(cycle walking: Black and Rogaway, "Ciphers with arbitrary finite domains", 2002). Swap-or-not
(Hoang, Morris and Rogaway, 2012) needs no walking, but some 6 log2(n) rounds, each over the whole
batch; eight are enough here, since an order must look unordered and need not resist an attacker.
On few bits a network has few permutations to offer, which is why small sets do not use it.
"""

from __future__ import annotations

from functools import lru_cache

import numpy as np
from numpy.random import Philox
from numpy.typing import ArrayLike, NDArray

from guide.errors import GuideError
from guide_deep_learning.training.data.keyed import ORDER

SMALL = 2**18
"""Up to so many items, the permutation is held as an array."""

_ROUNDS = 8
_M1, _M2 = np.uint64(0xBF58476D1CE4E5B9), np.uint64(0x94D049BB133111EB)  # of splitmix64
_S1, _S2, _S3 = np.uint64(30), np.uint64(27), np.uint64(31)


def batch_indices(
    seed: int, step: int, batch: int, n: int, *, across: bool = False
) -> NDArray[np.int64]:
    """Which items the batch of a step holds: `batch` numbers in 0 to n - 1.

    By default no batch mixes two epochs: an epoch has n // batch steps, and the n % batch items
    at the end of its order, others each time, are left out. Every batch has one size, since a
    compiled model is compiled anew for another.

    Args:
        seed: of the training.
        step: number of the update, from 0.
        batch: items in a batch.
        n: items in the set.
        across: go on in the next epoch within a batch; nothing is left out, and in a batch at the
            border an item can come twice.

    Raises:
        GuideError: when the set is empty, or smaller than a batch that must not reach across.
    """
    _check(batch, n, across)
    if not across:
        epoch, number = divmod(step, n // batch)
        return permuted(seed, epoch, number * batch + np.arange(batch), n)
    indices = np.empty(batch, np.int64)
    done = 0
    while done < batch:
        epoch, place = place_of(step * batch + done, n)
        part = min(batch - done, n - place)
        indices[done : done + part] = permuted(seed, epoch, place + np.arange(part), n)
        done += part
    return indices


def batch_epochs(step: int, batch: int, n: int, *, across: bool = False) -> NDArray[np.int64]:
    """The epoch of each item of that batch: what its augmentation is keyed by.

    Raises:
        GuideError: as `batch_indices`.
    """
    _check(batch, n, across)
    if not across:
        return np.full(batch, step // (n // batch), np.int64)
    epoch, place = place_of(step * batch, n)
    return epoch + (place + np.arange(batch)) // n


def place_of(cursor: int, n: int) -> tuple[int, int]:
    """The epoch, and the place in its order, of the item number `cursor` that is seen."""
    return divmod(cursor, n)


def cursor_of(epoch: int, place: int, n: int) -> int:
    """The other way: how many items were seen before this one."""
    return epoch * n + place


def permuted(seed: int, epoch: int, places: ArrayLike, n: int) -> NDArray[np.int64]:
    """The items at these places of an epoch's order, each in 0 to n - 1.

    Args:
        seed: of the training, modulo 2^64.
        epoch: from 0, below 2^64.
        places: in 0 to n - 1, any number of them, in any order.
        n: items in the set, up to 2^62.
    """
    wanted = np.atleast_1d(np.asarray(places, dtype=np.int64))
    if n <= SMALL:
        return _array(seed, epoch, n)[wanted]
    return _network(_words(seed, epoch, _ROUNDS), wanted, n)


@lru_cache(maxsize=4)  # workers that read ahead are in the next epoch already
def _array(seed: int, epoch: int, n: int) -> NDArray[np.int64]:
    order = np.argsort(_words(seed, epoch, n), kind="stable").astype(np.int64)
    order.flags.writeable = False
    return order


def _words(seed: int, epoch: int, count: int) -> NDArray[np.uint64]:
    key = np.array([seed % 2**64, ORDER], dtype=np.uint64)
    return Philox(key=key, counter=[0, epoch, 0, 0]).random_raw(count)


def _network(keys: NDArray[np.uint64], places: NDArray[np.int64], n: int) -> NDArray[np.int64]:
    bits = np.uint64(((n - 1).bit_length() + 1) // 2)  # of each half
    mask = (np.uint64(1) << bits) - np.uint64(1)
    found = places.astype(np.uint64)
    outside = np.arange(len(found))
    while len(outside):
        left, right = found[outside] >> bits, found[outside] & mask
        for key in keys:
            left, right = right, left ^ (_mixed(right ^ key) & mask)
        found[outside] = left << bits | right
        outside = outside[found[outside] >= n]
    return found.astype(np.int64)


def _mixed(x: NDArray[np.uint64]) -> NDArray[np.uint64]:
    x = (x ^ x >> _S1) * _M1
    x = (x ^ x >> _S2) * _M2
    return x ^ x >> _S3


def _check(batch: int, n: int, across: bool) -> None:
    if n < 1:
        raise GuideError("the set to learn from is empty", "point to another one")
    if batch < 1 or (batch > n and not across):
        raise GuideError(
            f"a batch of {batch} cannot be taken from {n} items",
            f"type --set batch=... with 1 to {n}",
        )
