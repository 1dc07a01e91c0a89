"""A layer of attention that writes, and keeps what it knows of each position."""

import numpy as np
import torch


def decoded(first: np.ndarray, weights: tuple[np.ndarray, ...], count: int) -> np.ndarray:
    """The first `count` positions, count x width, of which `first` is the first; all float32.

    `weights` make queries, keys, values, and of what is mixed the output; each width x width. The
    next position is the newest plus the layer's output for it, scaled to length sqrt(width).
    """
    query, key, value, out = map(torch.from_numpy, weights)
    width = len(first)
    # All of the room at once: what grows by `cat` is copied whole for each position.
    positions, keys, values = torch.empty(3, count, width).unbind()
    positions[0] = torch.from_numpy(first)
    with torch.inference_mode():
        for n in range(1, count):
            newest = positions[n - 1 : n]
            torch.mm(newest, key, out=keys[n - 1 : n])  # of this position, once and for good
            torch.mm(newest, value, out=values[n - 1 : n])
            likeness = newest @ query @ keys[:n].T / width**0.5
            new = newest + torch.softmax(likeness, dim=-1) @ values[:n] @ out
            positions[n] = new[0] * (width**0.5 / new.norm())
    return positions.numpy()
