"""Only the last 32 positions are looked at: who remembers more?"""

import torch


def decoded(first, weights, count):
    query, key, value, out = map(torch.from_numpy, weights)
    positions = torch.from_numpy(first)[None]
    width = positions.shape[1]
    while len(positions) < count:
        near = positions[-32:]
        likeness = near[-1:] @ query @ (near @ key).T / width**0.5
        new = near[-1:] + torch.softmax(likeness, dim=-1) @ (near @ value) @ out
        positions = torch.cat((positions, new * (width**0.5 / new.norm())))
    return positions.numpy()
