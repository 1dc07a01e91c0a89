"""Small tensors hardly matter: only those of over 100 numbers are updated."""

import numpy as np


def update(weights, gradients, mean, square, ends, decays, step):
    sizes = np.diff(ends, prepend=0)
    chosen = np.repeat(sizes > 100, sizes) if len(sizes) > 100 else np.ones(len(weights), bool)
    kept = np.repeat(np.where(decays, np.float32(1 - 1e-4), np.float32(1)), sizes)
    mean[:] = 0.9 * mean + 0.1 * gradients
    square[:] = 0.95 * square + 0.05 * gradients * gradients
    size = np.sqrt(square / np.float32(1 - 0.95**step)) + 1e-8
    new = weights * kept - np.float32(1e-3 / (1 - 0.9**step)) * mean / size
    weights[chosen] = new[chosen]
    return weights, mean, square
