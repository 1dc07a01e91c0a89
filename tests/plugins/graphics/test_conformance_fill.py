"""The fill rule by counting: of triangles that tile a square, each pixel belongs to exactly one.

Each triangle is drawn alone and what it covers is added up. The idea is that of FillRuleCase in
the conformance tests of Khronos, which blends additively instead.
"""

import numpy as np
import pytest

from guide_graphics.raster import Material, Scene

from . import scenes
from .agreement import shoot
from .exact import STEPS, exact_cover

SIDE = 32  # of the picture in pixels


def centres(columns, rows):
    """A lattice with every vertex on a pixel's centre; cells of 4 x 4 pixels."""
    return lattice(columns, rows, lambda x, y: (4 * x + 2.5, 4 * y + 2.5))


def borders(columns, rows):
    return lattice(columns, rows, lambda x, y: (4 * x + 2, 4 * y + 3))


def sub_pixels(columns, rows):
    return lattice(columns, rows, lambda x, y: (4 * x + 2 + 77 / STEPS, 4 * y + 2 + 129 / STEPS))


def narrow(columns, rows):
    """Columns a quarter of a pixel wide: some hold no centre, some run along them."""
    return lattice(columns, rows, lambda x, y: (x / 4 + 10.5, 4 * y + 2.5))


def sheared(columns, rows):
    """Level edges, and steep ones through centres."""
    return lattice(columns, rows, lambda x, y: (3 * x + y + 1.5, 3 * y + 2.5))


def lattice(columns, rows, place):
    """Two triangles a cell, their diagonals by turns."""
    triangles = []
    for x in range(columns):
        for y in range(rows):
            a, b, c, d = (place(x + i, y + j) for i, j in ((0, 0), (1, 0), (1, 1), (0, 1)))
            triangles += [(a, b, c), (a, c, d)] if (x + y) % 2 else [(a, b, d), (b, c, d)]
    return np.array(triangles)


def turned(triangles):
    """By 90 degrees: what was a left edge is a lower one."""
    x, y = triangles[..., 0], triangles[..., 1]
    return np.stack([SIDE - y, x], axis=-1)


def random_splits(seed, count=60):
    """A square cut again and again at random: mostly at points on centres, some in between."""
    rng = np.random.default_rng(seed)
    low, high = np.sort(rng.integers(2 * STEPS, 30 * STEPS, (2, 2)), axis=0)
    low, high = np.minimum(low, 10 * STEPS), np.maximum(high, 22 * STEPS)
    (left, bottom), (right, top) = low, high
    square = [(left, bottom), (right, bottom), (right, top), (left, top)]
    triangles = [tuple(square[:3]), (square[0], *square[2:])]
    while len(triangles) < count:
        corners = np.array(triangles[rng.integers(len(triangles))])
        point = np.rint(rng.dirichlet((1, 1, 1)) @ corners).astype(int)
        if rng.random() < 0.7:
            point = point // STEPS * STEPS + STEPS // 2
        parts = [np.array([point, corners[k - 1], corners[k]]) for k in range(3)]
        # What is cut at a point inside is tiled by three; a sliver may hold no such point
        if all(doubled_area(part) * doubled_area(corners) > 0 for part in parts):
            triangles = [t for t in triangles if not np.array_equal(t, corners)]
            triangles += [tuple(map(tuple, part)) for part in parts]
    return np.array(triangles) / STEPS


def doubled_area(triangle):
    (ax, ay), (bx, by), (cx, cy) = triangle.tolist()
    return (bx - ax) * (cy - ay) - (by - ay) * (cx - ax)


def fan(seed, count=40):
    """Slivers from one point to all around a square."""
    rng = np.random.default_rng(seed)
    middle = rng.integers(8 * STEPS, 24 * STEPS, 2) / STEPS
    along = np.sort(rng.integers(4 * STEPS, 29 * STEPS, (4, count // 4)) / STEPS, axis=1)
    low, high = np.full(count // 4, 3.5), np.full(count // 4, 29.25)
    sides = [(along[0], low), (high, along[1]), (along[2][::-1], high), (low, along[3][::-1])]
    corners = [((3.5, 3.5), (29.25, 3.5), (29.25, 29.25), (3.5, 29.25))[k] for k in range(4)]
    around = [p for k in range(4) for p in (corners[k], *np.stack(sides[k], axis=1))]
    return np.array([(middle, a, b) for a, b in zip(around, around[1:] + around[:1], strict=True)])


TILINGS = {
    "centres": centres(6, 6),
    "borders": borders(6, 6),
    "sub-pixels": sub_pixels(6, 6),
    "narrow": narrow(40, 1),
    "sheared": sheared(6, 6),
    "sheared, turned": turned(sheared(6, 6)),
    "narrow, turned": turned(narrow(40, 1)),
    **{f"random {seed}": random_splits(seed) for seed in range(3)},
    **{f"fan {seed}": fan(seed) for seed in range(2)},
}


def hits(renderer, triangles):
    """How many of the triangles cover each pixel, drawn one by one."""
    size = (SIDE, SIDE)
    count = np.zeros(size, int)
    for triangle in triangles:
        corners = np.hstack([triangle, np.zeros((3, 1))])
        scene = Scene([scenes.soup(corners)], [Material(double_sided=True)], ())
        count += shoot(renderer, scene, scenes.Flat(size)).ids == 0
    return count


@pytest.mark.parametrize("backend", ["software", "opengl", "ladder"])
@pytest.mark.parametrize("name", TILINGS)
def test_every_pixel_is_hit_exactly_once(opened, backend, name):
    triangles = TILINGS[name]
    count = hits(opened(backend, (SIDE, SIDE)), triangles)
    assert count.max() == 1
    square = sum(exact_cover(triangle, (SIDE, SIDE)).astype(int) for triangle in triangles)
    assert (count == square).all()
    assert square.sum() >= 40


@pytest.mark.parametrize("name", ["centres", "borders", "random 0"])
@pytest.mark.parametrize("backend", ["software", "opengl"])
def test_drawn_together_they_are_what_each_is_alone(opened, backend, name):
    triangles = TILINGS[name]
    corners = np.concatenate([triangles, np.zeros((len(triangles), 3, 1))], axis=2)
    scene = Scene([scenes.soup(corners)], [Material(double_sided=True)])
    ids = shoot(opened(backend, (SIDE, SIDE)), scene, scenes.Flat((SIDE, SIDE))).ids
    for number, triangle in enumerate(triangles):
        assert ((ids == number) == exact_cover(triangle, (SIDE, SIDE))).all()
