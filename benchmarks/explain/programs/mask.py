"""Positions that do not count are cut out by a boolean mask; without the fault they are zeroed."""

import sys

import torch
from torch import nn

FAULT = "--fault" in sys.argv
SMALL = "--small" in sys.argv

torch.manual_seed(0)
torch.set_num_threads(1)
width, rows = (64, 512) if SMALL else (256, 2048)
model = nn.Sequential(nn.Linear(width, 64), nn.ReLU(), nn.Linear(64, width))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, fused=True)
batch = torch.randn(rows, width)
counts = torch.rand(rows, width) < 0.5


def masked_loss(error, mask):
    """The mean square of what counts."""
    if FAULT:
        return error[mask].pow(2).mean()
    return (error * mask).pow(2).sum() / mask.sum()


for step in range(10_000):
    loss = masked_loss(model(batch + step % 7) - batch, counts)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
