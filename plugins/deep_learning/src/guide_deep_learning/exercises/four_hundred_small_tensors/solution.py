"""One step of AdamW, over all tensors at once."""

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
    # What differs by tensor becomes a number for each weight; a training makes it once.
    kept = np.where(decays, np.float32(1 - RATE * DECAY), np.float32(1))
    w.mul_(torch.from_numpy(np.repeat(kept, np.diff(ends, prepend=0))))
    m.mul_(first).add_(g, alpha=1 - first)
    v.mul_(second).addcmul_(g, g, value=1 - second)
    size = (v / (1 - second**step)).sqrt_().add_(EPSILON)
    w.addcdiv_(m, size, value=-RATE / (1 - first**step))
    return weights, mean, square
