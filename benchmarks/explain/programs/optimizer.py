"""An optimizer that goes through its tensors one by one; without the fault it is fused."""

import sys

import torch
from torch import nn

FAULT = "--fault" in sys.argv
SMALL = "--small" in sys.argv

torch.manual_seed(0)
torch.set_num_threads(1)
width, layers, rows = (64, 6, 8) if SMALL else (192, 12, 64)
blocks = [
    nn.Sequential(nn.LayerNorm(width), nn.Linear(width, width), nn.GELU()) for _ in range(layers)
]
model = nn.Sequential(*blocks, nn.Linear(width, 10))
optimizer = torch.optim.AdamW(model.parameters(), fused=not FAULT)
batch, labels = torch.randn(rows, width), torch.randint(10, (rows,))

for step in range(10_000):
    loss = nn.functional.cross_entropy(model(batch + step % 7), labels)
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
