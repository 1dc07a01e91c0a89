"""Match binary descriptors, 64 bits at a time."""

from typing import Any

import numpy as np
import numpy.typing as npt
from numba import njit

Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]

# Every constant is a uint64: an int64 among them would make floats of all
PAIRS, FOURS = np.uint64(0x5555555555555555), np.uint64(0x3333333333333333)
EIGHTS, ONES = np.uint64(0x0F0F0F0F0F0F0F0F), np.uint64(0x0101010101010101)
ONE, TWO, FOUR, TOP = np.uint64(1), np.uint64(2), np.uint64(4), np.uint64(56)


@njit(inline="always")
def ones(x: Any) -> Any:
    """How many bits of a word are set: in pairs, fours, eights, then all bytes added up at once."""
    x = x - ((x >> ONE) & PAIRS)
    x = (x & FOURS) + ((x >> TWO) & FOURS)
    x = (x + (x >> FOUR)) & EIGHTS
    return (x * ONES) >> TOP  # the compiler knows this, and makes one instruction of it


@njit
def _nearest(a: Any, b: Any, index: Any, distance: Any) -> None:
    for i in range(a.shape[0]):
        best, at = np.int64(1 << 30), np.int64(0)
        for j in range(b.shape[0]):
            differ = np.uint64(0)
            for k in range(4):
                differ += ones(a[i, k] ^ b[j, k])
            if np.int64(differ) < best:  # not <=: of equals the first
                best, at = np.int64(differ), j
        index[i], distance[i] = at, best


def match(a: Bytes, b: Bytes) -> tuple[Integers, Integers]:
    """For each row of `a` the nearest of `b`, both N x 32: its number, and the bits that differ."""
    index, distance = np.zeros(len(a), np.int64), np.zeros(len(a), np.int64)
    _nearest(a.view(np.uint64), b.view(np.uint64), index, distance)
    return index, distance
