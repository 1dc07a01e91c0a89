"""A table for bytes in numpy: right, and an array for every row."""

import numpy as np

ONES = np.array([bin(value).count("1") for value in range(256)], np.uint8)


def match(a, b):
    index, distance = np.zeros(len(a), np.int64), np.zeros(len(a), np.int64)
    for i in range(len(a)):
        differ = ONES[b ^ a[i]].sum(axis=1, dtype=np.int64)
        index[i] = differ.argmin()
        distance[i] = differ[index[i]]
    return index, distance
