"""Layers over layers: test, shade, write, and then again."""

import math

import numpy as np
from numba import njit


@njit
def shade(seed: float, x: int, y: int) -> float:
    """The brightness of a layer at a pixel, 0 to 255: as costly as a real material's."""
    value = seed
    for octave in range(1, 7):
        value += math.sin(0.05 * octave * x + value) * math.cos(0.04 * octave * y - seed)
    return 127.5 + 127.5 * math.sin(value)


@njit
def draw(layers: np.ndarray, width: int, height: int) -> np.ndarray:
    """What is seen of `layers`, as (height, width) of float64; 0 where nothing is.

    Args:
        layers: (n, 6): x0, y0, x1, y1, depth, seed; inside the picture.
        width: of the picture.
        height: of the picture.
    """
    picture = np.zeros((height, width))
    depth = np.full((height, width), np.inf)
    for layer in range(len(layers)):
        z, seed = layers[layer, 4], layers[layer, 5]
        for y in range(int(layers[layer, 1]), int(layers[layer, 3])):
            for x in range(int(layers[layer, 0]), int(layers[layer, 2])):
                if z < depth[y, x]:
                    depth[y, x] = z
                    picture[y, x] = shade(seed, x, y)
    return picture
