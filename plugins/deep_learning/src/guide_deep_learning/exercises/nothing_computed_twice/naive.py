"""A layer of attention that writes, and looks for the newest position alone."""

import numpy as np
import torch


def decoded(first: np.ndarray, weights: tuple[np.ndarray, ...], count: int) -> np.ndarray:
    """The first `count` positions, count x width, of which `first` is the first; all float32.

    `weights` make queries, keys, values, and of what is mixed the output; each width x width. The
    next position is the newest plus the layer's output for it, scaled to length sqrt(width).
    """
    query, key, value, out = map(torch.from_numpy, weights)
    positions = torch.from_numpy(first)[None]
    width = positions.shape[1]
    with torch.inference_mode():
        while len(positions) < count:
            keys, values = positions @ key, positions @ value
            likeness = positions[-1:] @ query @ keys.T / width**0.5
            new = positions[-1:] + torch.softmax(likeness, dim=-1) @ values @ out
            new = new * (width**0.5 / new.norm())
            positions = torch.cat((positions, new))
    return positions.numpy()
