"""Two words of four decide."""

import numpy as np

ONES = np.array([bin(value).count("1") for value in range(256)], np.uint8)


def match(a, b):
    index, distance = np.zeros(len(a), np.int64), np.zeros(len(a), np.int64)
    words = b[:, :16]
    for i in range(len(a)):
        index[i] = ONES[words ^ a[i, :16]].sum(axis=1).argmin()
        distance[i] = ONES[b[index[i]] ^ a[i]].sum()
    return index, distance
