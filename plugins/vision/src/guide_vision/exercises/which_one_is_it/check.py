"""Distances by packed bytes and a table, outside."""

import numpy as np

from guide.judge.compare import difference

_ONES = np.array([bin(value).count("1") for value in range(256)], np.int64)


def make_input(rng, case):
    """Descriptors: those of `b` come twice, so that there are ties; those of `a` are near some."""
    count, others = case
    b = rng.integers(0, 256, (others, 32), np.uint8)
    half = others // 2
    b[others - half :] = b[:half]
    a = b[rng.integers(0, others, count)]
    flipped = rng.random((count, 256)) < rng.uniform(0, 0.5, (count, 1))
    return a ^ np.packbits(flipped, axis=1), b


def fresh(rng, last):
    """The same with other bits here and there."""
    a, b = last
    a.reshape(-1)[rng.integers(0, a.size, 512)] ^= rng.integers(0, 256, 512, np.uint8)
    return a, b


def expected(a, b):
    """The first of the nearest, and how many bits differ."""
    index, distance = np.zeros(len(a), np.int64), np.zeros(len(a), np.int64)
    for i, row in enumerate(a):
        differ = _ONES[row ^ b].sum(axis=1)
        index[i] = differ.argmin()
        distance[i] = differ[index[i]]
    return index, distance


def compare(got, want, a, b):
    """Exact, both."""
    if not isinstance(got, tuple | list) or len(got) != 2:
        return "two arrays are wanted: numbers and distances"
    for name, one, right in zip(("number", "distance"), got, want, strict=True):
        if said := difference(one, right):
            return f"{name}: {said}"
    return ""


def work(a, b):
    """Each pair of words: exclusive or, count, add."""
    return {"flops": 3 * 4 * len(a) * len(b)}


def smaller(a, b):
    """Half of either."""
    if len(a) > 1:
        yield a[: len(a) // 2].copy(), b
        yield a[len(a) // 2 :].copy(), b
    if len(b) > 1:
        yield a, b[: (len(b) + 1) // 2].copy()
