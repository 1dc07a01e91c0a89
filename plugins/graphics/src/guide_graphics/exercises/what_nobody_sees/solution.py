"""Layers over layers: first who is seen, then what it looks like."""

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
    """What is seen of `layers`, as (height, width) of float64; 0 where nothing is."""
    ids = np.full((height, width), -1, np.int32)
    depth = np.full((height, width), np.inf)
    for layer in range(len(layers)):  # cheap: a comparison and two stores
        z = layers[layer, 4]
        for y in range(int(layers[layer, 1]), int(layers[layer, 3])):
            for x in range(int(layers[layer, 0]), int(layers[layer, 2])):
                if z < depth[y, x]:
                    depth[y, x] = z
                    ids[y, x] = layer
    picture = np.zeros((height, width))
    for y in range(height):  # costly, and once for each pixel, whatever lies behind it
        for x in range(width):
            if ids[y, x] >= 0:
                picture[y, x] = shade(layers[ids[y, x], 5], x, y)
    return picture
