"""Who decays is too much to ask: all do."""

import numpy as np


def update(weights, gradients, mean, square, ends, decays, step):
    weights *= np.float32(1 - 1e-4)
    mean[:] = 0.9 * mean + 0.1 * gradients
    square[:] = 0.95 * square + 0.05 * gradients * gradients
    size = np.sqrt(square / np.float32(1 - 0.95**step)) + 1e-8
    weights -= np.float32(1e-3 / (1 - 0.9**step)) * mean / size
    return weights, mean, square
