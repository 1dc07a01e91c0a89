"""Images that are drawn, for where no set is installed: ten shapes, 28 x 28, as (seed, index).

No substitute for real ones: what is learned here says nothing about photographs. It is a task with
an answer, so that everything around it can be tried on any machine: ten classes, any size, angle,
place and brightness, with noise.

All arithmetic is of whole numbers or of float64 additions, products and quotients, which every
machine rounds alike; there is no sine in it. So the set has one sha256 everywhere.
"""

from __future__ import annotations

import numpy as np
from numpy.typing import ArrayLike, NDArray

from guide_deep_learning.training.data.keyed import SHAPES, words

CLASSES = (
    "disc", "ring", "square", "frame", "diamond", "triangle", "plus", "bar", "two bars", "corner",
)  # fmt: skip
SIDE = 28


def drawn(seed: int, items: ArrayLike) -> tuple[NDArray[np.uint8], NDArray[np.uint8]]:
    """The images of these numbers, (items, 28, 28), and their classes, (items,).

    Args:
        seed: of the set.
        items: their numbers, from 0; an image is the same whichever others are asked for.
    """
    # A set has no epochs: in their place the words of an item are numbered, those of its shape
    # first, then those of its noise.
    first, second = words(seed, SHAPES, 0, items), words(seed, SHAPES, 1, items)
    labels = (first[:, 0] % np.uint32(len(CLASSES))).astype(np.uint8)
    bright = (130 + first[:, 1] % np.uint32(90)).astype(np.int64)
    images = np.where(_inside(labels, *_turned(second)), bright[:, None, None], 20)
    images += _noise(seed, np.atleast_1d(np.asarray(items)))
    return images.astype(np.uint8), labels


def _turned(random: NDArray[np.uint32]) -> tuple[NDArray[np.float64], NDArray[np.float64]]:
    """Where each pixel lies as seen from its shape, whose edges are 1 from its middle."""
    part = random.astype(np.float64)[:, :, None, None] / 2**32
    size = 6.0 + 4.0 * part[:, 0]
    across, down = 6.0 * part[:, 1] - 3.0, 6.0 * part[:, 2] - 3.0
    # A turn of up to 23 degrees either way; one of 45 would make a square a diamond. Cosine and
    # sine are quotients of the tangent of its half.
    half = 0.4 * part[:, 3] - 0.2
    cosine, sine = (1 - half * half) / (1 + half * half), 2 * half / (1 + half * half)
    grid = np.arange(SIDE) - (SIDE - 1) / 2
    x, y = (grid[None, None, :] - across) / size, (grid[None, :, None] - down) / size
    return cosine * x + sine * y, cosine * y - sine * x


def _inside(
    labels: NDArray[np.uint8], x: NDArray[np.float64], y: NDArray[np.float64]
) -> NDArray[np.bool_]:
    """Which pixels the shape of each image covers."""
    inside = np.zeros(x.shape, bool)
    for label, name in enumerate(CLASSES):
        which = np.flatnonzero(labels == label)
        a, b = x[which], y[which]
        u, v = np.abs(a), np.abs(b)
        square = np.maximum(u, v)
        inside[which] = {
            "disc": a * a + b * b < 1,
            "ring": np.abs(a * a + b * b - 0.75) < 0.35,
            "square": square < 0.9,
            "frame": (square < 0.95) & (square > 0.55),
            "diamond": u + v < 1.1,
            "triangle": (v < 0.9) & (2 * u < b + 0.9),
            "plus": (square < 1) & (np.minimum(u, v) < 0.25),
            "bar": (u < 1) & (v < 0.25),
            "two bars": (u < 1) & (np.abs(v - 0.6) < 0.22),
            "corner": (square < 0.9) & ((a < -0.4) | (b > 0.4)),
        }[name]
    return inside


def _noise(seed: int, items: NDArray[np.int64]) -> NDArray[np.int64]:
    """0 to 31 for each pixel, (items, 28, 28): a byte of a random word each."""
    blocks = SIDE * SIDE // 16
    numbers = np.tile(np.arange(2, 2 + blocks), len(items))
    random = words(seed, SHAPES, numbers, np.repeat(items, blocks))
    # By arithmetic, since a view as bytes would depend on the order a machine keeps them in.
    parts = random[:, :, None] >> np.arange(0, 32, 8, dtype=np.uint32) & np.uint32(31)
    return parts.reshape(-1, SIDE, SIDE).astype(np.int64)
