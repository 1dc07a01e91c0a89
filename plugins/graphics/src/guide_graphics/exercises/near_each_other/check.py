"""Counts of neighbours, exact, by sorting along x."""

import numpy as np

from guide.judge.compare import difference

SIDE = 65_536


def make_input(rng, case):
    """Points all over, and a third of them in clusters, of which one sits on a corner."""
    count, radius, clusters = case
    points = rng.integers(0, SIDE, (count, 2))
    if clusters:
        middles = rng.integers(0, SIDE, (clusters, 2))
        middles[0] = SIDE - 1
        which = rng.integers(0, clusters, len(points[::3]))
        spread = rng.integers(-radius, radius + 1, (len(which), 2))
        points[::3] = np.clip(middles[which] + spread, 0, SIDE - 1)
        points[1] = points[0]  # two at the same place
    return points, radius


def expected(points, radius):
    """Along x each point meets those after it, until they are too far."""
    order = np.argsort(points[:, 0], kind="stable")
    xs, ys = points[order, 0], points[order, 1]
    found = np.zeros(len(points), np.int64)
    for step in range(1, len(points)):
        dx = xs[step:] - xs[:-step]
        if dx.min() > radius:
            break
        near = dx * dx + (ys[step:] - ys[:-step]) ** 2 <= radius * radius
        found[step:] += near
        found[:-step] += near
    counts = np.empty(len(points), np.int32)
    counts[order] = found
    return counts


def compare(got, want, points, radius):
    """Exact."""
    return difference(got, want)


def smaller(points, radius):
    """Each half."""
    half = len(points) // 2
    if half:
        yield points[:half].copy(), radius
        yield points[half:].copy(), radius
