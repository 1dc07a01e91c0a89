"""Exactly what sorting gives."""

import numpy as np

from guide.judge.compare import difference


def make_input(rng, case):
    """So many numbers, of which every third occurs several times."""
    size, count = case
    values = rng.random(size)
    values[::3] = np.round(values[::3], 3)
    # At regular places: whoever looks at every thousandth must not believe what it sees.
    values[:: max(size // 50, 1)] += 1
    return values, count


def expected(values, count):
    """By sorting."""
    return np.sort(values)[-count:]


def compare(got, want, values, count):
    """Exact."""
    return difference(got, want)


def smaller(values, count):
    """Half the numbers, as long as enough are left."""
    half = len(values) // 2
    if half >= max(count, 1) and half:
        yield values[:half].copy(), count
        yield values[half:].copy(), count
    if count > 1:
        yield values, count // 2
