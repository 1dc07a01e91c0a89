"""A layer of attention that writes, position by position."""

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
            queries, keys, values = positions @ query, positions @ key, positions @ value
            likeness = queries @ keys.T / width**0.5
            later = torch.ones_like(likeness, dtype=torch.bool).triu(1)
            mixed = torch.softmax(likeness.masked_fill(later, -torch.inf), dim=-1) @ values
            new = (positions + mixed @ out)[-1:]
            new = new * (width**0.5 / new.norm())
            positions = torch.cat((positions, new))
    return positions.numpy()
