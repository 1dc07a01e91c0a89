"""Counts, exact."""

import numpy as np

from guide.judge.compare import difference


def make_input(rng, case):
    """So many events."""
    return (rng.integers(0, 4, case).astype(np.uint8),)


def fresh(rng, last):
    """The same with others in places."""
    (events,) = last
    places = rng.integers(0, len(events), 1000)
    events[places] = rng.integers(0, 4, 1000)
    return (events,)


def expected(events):
    """By numpy."""
    return np.bincount(events, minlength=4).astype(np.int64)


def compare(got, want, events):
    """Exact."""
    return difference(got, want)


def smaller(events):
    """Each half."""
    half = len(events) // 2
    if half:
        yield (events[:half].copy(),)
        yield (events[half:].copy(),)
