"""Results are read back from the GPU in every step; without the fault in none.

`--long`: the work before the copy is long, so the copy is a wait that costs nothing. `--short`: it
is short, and the GPU stands idle after each of many copies. `--large`: the copy itself is what
costs. Without a GPU the same is computed on the CPU, where all three are harmless.
"""

import sys

import torch
from torch import nn

FAULT = "--fault" in sys.argv
KIND = next((kind for kind in ("long", "large") if f"--{kind}" in sys.argv), "short")
ON_GPU = torch.cuda.is_available()

torch.manual_seed(0)
device = "cuda" if ON_GPU else "cpu"
width, layers, rows = {"long": (4096, 8, 4096), "short": (512, 24, 64), "large": (4096, 4, 8192)}[
    KIND
]
if not ON_GPU:
    width, layers, rows = width // 32, layers // 2, rows // 32
blocks = [nn.Sequential(nn.Linear(width, width), nn.ReLU()) for _ in range(layers)]
model = nn.ModuleList(blocks).to(device)
optimizer = torch.optim.SGD(model.parameters(), lr=1e-4, fused=True)
batch = torch.randn(rows, width, device=device)
largest, loss_seen, kept = 0.0, 0.0, None

for step in range(10_000):
    x = batch + step % 7
    for block in model:
        x = block(x)
        if FAULT and KIND == "short":
            largest = max(largest, x.detach().amax().item())
    loss = x.square().mean()
    optimizer.zero_grad()
    loss.backward()
    optimizer.step()
    if FAULT and KIND == "long":
        loss_seen += loss.item()
    if FAULT and KIND == "large":
        kept = x.detach().cpu()
