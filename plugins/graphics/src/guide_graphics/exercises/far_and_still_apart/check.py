"""Draws pairs of walls into a depth buffer of float32 and finds the least gap that holds."""

import numpy as np

NEAR, FAR = 0.1, 20_000.0
PAIRS = 500


def check(attempt):
    """The gaps, as figures."""
    distance = np.geomspace(NEAR * 1.0001, FAR * 0.9999, 2000)
    kept = depth(attempt, distance)
    outside = int(np.count_nonzero(~((kept >= 0) & (kept <= 1))))
    assert not outside, f"{outside} of 2,000 depths between the planes lie outside of 0 to 1"
    empty = np.full_like(kept, attempt.CLEAR)
    lost = int(np.count_nonzero(~wins(attempt, kept, empty)))
    near, far = distance[:-40:40], distance[40::40]
    assert holds(attempt, near, far - near), "what is nearer does not win"
    return {
        "gap at 5 km, mm": 1000 * least_gap(attempt, 5000.0),
        "gap at 1 m, mm": 1000 * least_gap(attempt, 1.0),
        "lost before the background": lost,
        "gap at 5 km, starter, m": least_gap(Starter, 5000.0),
    }


class Starter:
    """What the starter does, to be compared with."""

    CLEAR = 1.0

    @staticmethod
    def terms(near, far):
        """0 at the near plane."""
        return -far / (far - near), -far * near / (far - near)

    @staticmethod
    def nearer(new, old):
        """Less is nearer."""
        return new < old


def depth(attempt, distance):
    """As the machine computes it: every step rounded to 32 bits."""
    a, b = (np.float32(float(term)) for term in attempt.terms(NEAR, FAR))
    z = -np.asarray(distance, np.float32)
    return (a * z + b) / -z


def wins(attempt, new, old):
    """What nearer() says, as an array of truths."""
    said = np.asarray(attempt.nearer(new, old))
    truths = said.shape == new.shape and said.dtype == bool
    assert truths, "nearer() returns a truth for each depth"
    return said


def holds(attempt, distance, gap):
    """Whether the nearer of each pair is seen, in both orders of drawing."""
    front, back = depth(attempt, distance), depth(attempt, distance + gap)
    return bool(wins(attempt, front, back).all() and not wins(attempt, back, front).any())


def least_gap(attempt, distance):
    """The least gap in m down to which all pairs there are told apart."""
    at = distance * np.random.default_rng(5).uniform(0.99, 1.01, PAIRS)
    # A float32 holds no smaller step of the distance itself: nobody could do better
    finest = float(np.spacing(np.float32(distance)))
    found = np.inf
    for gap in distance * np.logspace(0, -9, 217):
        if gap < finest or not holds(attempt, at, gap):
            break
        found = gap
    return float(found)
