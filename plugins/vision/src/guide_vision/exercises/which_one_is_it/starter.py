"""Match binary descriptors by how many of their bits differ."""

import numpy as np
import numpy.typing as npt

Bytes = npt.NDArray[np.uint8]
Integers = npt.NDArray[np.int64]


def match(a: Bytes, b: Bytes) -> tuple[Integers, Integers]:
    """For each row of `a` the nearest of `b`, both N x 32: its number, and the bits that differ."""
    bits_a, bits_b = (np.unpackbits(one, axis=1).astype(bool) for one in (a, b))
    index, distance = np.zeros(len(a), np.int64), np.zeros(len(a), np.int64)
    for i in range(len(a)):
        differ = (bits_b != bits_a[i]).sum(axis=1)
        index[i] = differ.argmin()
        distance[i] = differ[index[i]]
    return index, distance
