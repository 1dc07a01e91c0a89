"""Anomaly detection was left on."""

import sys

import torch
from torch import nn

FAULT = "--fault" in sys.argv
SMALL = "--small" in sys.argv

torch.manual_seed(0)
torch.set_num_threads(1)
width, layers, rows = (64, 4, 8) if SMALL else (128, 8, 64)
blocks = [
    nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.GELU()) for _ in range(layers)
]
model = nn.Sequential(*blocks, nn.Linear(width, 10))
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, fused=True)
batch, labels = torch.randn(rows, width), torch.randint(10, (rows,))

if FAULT:
    torch.autograd.set_detect_anomaly(True)

for step in range(10_000):
    loss = nn.functional.cross_entropy(model(batch + step % 7), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
