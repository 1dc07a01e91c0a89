"""Where the walkers end, exact."""

import numpy as np

from guide.judge.compare import difference


def make_input(rng, case):
    """A permutation of so many entries, so many walkers, how many steps."""
    size, walkers, steps = case
    if size & (size - 1):
        follow = rng.permutation(size).astype(np.int32)
    else:  # all in one ring, in no order that a prefetcher knows; quickly made
        every = np.arange(size, dtype=np.uint32)
        follow = every * np.uint32(1664525) + np.uint32(int(rng.integers(size)) * 2 + 1)
        follow = (follow & np.uint32(size - 1)).astype(np.int32)
    return follow, rng.integers(0, size, walkers).astype(np.int32), steps


def fresh(rng, last):
    """Other walkers, and a few entries changed places."""
    follow, starts, steps = last
    a, b = rng.integers(0, len(follow), (2, 64))
    for one, other in zip(a, b, strict=True):
        follow[one], follow[other] = follow[other], follow[one]
    return follow, rng.integers(0, len(follow), len(starts)).astype(np.int32), steps


def expected(follow, starts, steps):
    """All at once, by numpy."""
    at = starts
    for _ in range(steps):
        at = follow[at]
    return at.astype(np.int32)


def compare(got, want, follow, starts, steps):
    """Exact."""
    return difference(got, want)


def smaller(follow, starts, steps):
    """One walker; half the steps."""
    if len(starts) > 1:
        yield follow, starts[:1].copy(), steps
    if steps > 1:
        yield follow, starts, steps // 2
