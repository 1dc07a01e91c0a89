"""The picture, by numpy: who is seen, then its brightness."""

import numpy as np

from guide.judge.compare import difference


def make_input(rng, case):
    """Rectangles in any order; 20 of them lie farthest first and cover nearly everything."""
    count, width, height = case
    layers = np.empty((count, 6))
    part = 16 if count == 20 else 2  # how much of the picture may be missing on each side
    layers[:, 0] = rng.integers(0, width // part + 1, count)
    layers[:, 1] = rng.integers(0, height // part + 1, count)
    layers[:, 2] = width - rng.integers(0, width // part + 1, count)
    layers[:, 3] = height - rng.integers(0, height // part + 1, count)
    layers[:, 4] = rng.permutation(count) + 0.5
    layers[:, 5] = rng.random(count) * 6
    if width == 320:
        layers[:, 4] = np.sort(layers[:, 4])[::-1]
    return layers, width, height


def expected(layers, width, height):
    """Painted from the farthest to the nearest, then shaded."""
    ids = np.full((height, width), -1)
    for layer in np.argsort(-layers[:, 4]):
        x0, y0, x1, y1 = layers[layer, :4].astype(int)
        ids[y0:y1, x0:x1] = layer
    picture = np.zeros((height, width))
    y, x = np.nonzero(ids >= 0)
    seed = layers[ids[y, x], 5]
    value = seed.copy()
    for octave in range(1, 7):
        value += np.sin(0.05 * octave * x + value) * np.cos(0.04 * octave * y - seed)
    picture[y, x] = 127.5 + 127.5 * np.sin(value)
    return picture


def compare(got, want, layers, width, height):
    """Right to 1e-6."""
    return difference(got, want, atol=1e-6)


def smaller(layers, width, height):
    """Each half of the layers."""
    half = len(layers) // 2
    if half:
        yield layers[:half].copy(), width, height
        yield layers[half:].copy(), width, height
