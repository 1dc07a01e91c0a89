"""One step of AdamW, tensor by tensor."""

import numpy as np
import torch

RATE, DECAY, BETAS, EPSILON = 1e-3, 0.1, (0.9, 0.95), 1e-8


def update(
    weights: np.ndarray,
    gradients: np.ndarray,
    mean: np.ndarray,
    square: np.ndarray,
    ends: np.ndarray,
    decays: np.ndarray,
    step: int,
) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Update `weights`, `mean` and `square` in place and return them; `step` counts from 1."""
    w, g, m, v = map(torch.from_numpy, (weights, gradients, mean, square))
    first, second = BETAS
    rate = RATE / (1 - first**step)
    start = 0
    for end, decay in zip(ends.tolist(), decays.tolist(), strict=True):
        part = slice(start, end)
        if decay:
            w[part].mul_(1 - RATE * DECAY)
        m[part].mul_(first).add_(g[part], alpha=1 - first)
        v[part].mul_(second).addcmul_(g[part], g[part], value=1 - second)
        size = (v[part] / (1 - second**step)).sqrt_().add_(EPSILON)
        w[part].addcdiv_(m[part], size, value=-rate)
        start = end
    return weights, mean, square
