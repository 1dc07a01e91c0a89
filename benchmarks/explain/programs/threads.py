"""More threads than there are cores; without the fault as many."""

import os
import sys

import torch
from torch import nn

FAULT = "--fault" in sys.argv
SMALL = "--small" in sys.argv

torch.manual_seed(0)
cores = len(os.sched_getaffinity(0))
torch.set_num_threads(8 * cores if FAULT else cores)
width, rows = (256, 256) if SMALL else (512, 512)
blocks = [nn.Sequential(nn.Linear(width, width), nn.GELU()) for _ in range(4)]
model = nn.Sequential(*blocks, nn.Linear(width, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, fused=True)
batch, labels = torch.randn(rows, width), torch.randint(10, (rows,))

for step in range(10_000):
    loss = nn.functional.cross_entropy(model(batch + step % 7), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
