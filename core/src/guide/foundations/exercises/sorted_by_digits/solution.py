"""The order of keys, by their digits."""

import numba
import numpy as np

BITS = 8  # four passes for 32 bits, and 256 places to write to at a time


@numba.njit
def order(keys: np.ndarray) -> np.ndarray:
    """Indices that put `keys`, an array of uint32, in order; equal ones as they came."""
    count, digits, mask = len(keys), 1 << BITS, np.uint64((1 << BITS) - 1)
    now, then = np.empty(count, np.uint64), np.empty(count, np.uint64)
    for i in range(count):  # key and index travel as one number: one store for both
        now[i] = (np.uint64(keys[i]) << np.uint64(32)) | np.uint64(i)
    for shift in range(32, 64, BITS):
        first = np.zeros(digits, np.int64)
        for i in range(count):
            first[np.intp((now[i] >> np.uint64(shift)) & mask)] += 1
        begin = 0
        for digit in range(digits):  # from how many there are to where they begin
            begin, first[digit] = begin + first[digit], begin
        for i in range(count):
            digit = np.intp((now[i] >> np.uint64(shift)) & mask)
            then[first[digit]] = now[i]
            first[digit] += 1
        now, then = then, now
    result = np.empty(count, np.int64)
    for i in range(count):
        result[i] = np.int64(now[i] & np.uint64(0xFFFFFFFF))
    return result
