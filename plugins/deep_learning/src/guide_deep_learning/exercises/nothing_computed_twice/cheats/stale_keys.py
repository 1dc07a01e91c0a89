"""Keys and values are made anew for every eighth position only."""

import torch


def decoded(first, weights, count):
    query, key, value, out = map(torch.from_numpy, weights)
    positions = torch.from_numpy(first)[None]
    width = positions.shape[1]
    while len(positions) < count:
        if len(positions) <= 4 or len(positions) % 8 == 0:
            keys, values = positions @ key, positions @ value
        likeness = positions[-1:] @ query @ keys.T / width**0.5
        new = positions[-1:] + torch.softmax(likeness, dim=-1) @ values @ out
        positions = torch.cat((positions, new * (width**0.5 / new.norm())))
    return positions.numpy()
