"""Every sample's loss is read by itself; without the fault their sum is."""

import sys

import torch
from torch import nn

FAULT = "--fault" in sys.argv
SMALL = "--small" in sys.argv

torch.manual_seed(0)
torch.set_num_threads(1)
width, rows = (64, 256) if SMALL else (64, 4096)
model = nn.Sequential(nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, fused=True)
batch, labels = torch.randn(rows, width), torch.randint(10, (rows,))


def running_loss(losses):
    """The sum of them, as a number."""
    if FAULT:
        total = 0.0
        for each in losses:
            total += each.item()
        return total
    return losses.sum().item()


seen = 0.0
for step in range(10_000):
    losses = nn.functional.cross_entropy(model(batch + step % 7), labels, reduction="none")
    optimizer.zero_grad()
    losses.mean().backward()
    optimizer.step()
    seen += running_loss(losses.detach())
