"""Each length of text is compiled by itself; without the fault one program serves all lengths."""

import sys
import warnings

import torch
from torch import nn

FAULT = "--fault" in sys.argv
SMALL = "--small" in sys.argv

warnings.filterwarnings("ignore")
torch.manual_seed(0)
torch.set_num_threads(1)
torch._dynamo.config.recompile_limit = 10_000
torch._dynamo.config.accumulated_recompile_limit = 10_000
width = 32 if SMALL else 128
model = nn.Sequential(
    nn.Embedding(256, width), nn.Linear(width, width), nn.GELU(), nn.Linear(width, 256)
)
compiled = torch.compile(model, backend="aot_eager", dynamic=not FAULT)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, fused=True)
text = torch.randint(256, (8, 4096))

for step in range(2_000):
    length = 100 + step * 7 % 1901
    optimizer.zero_grad()
    logits = compiled(text[:, :length])
    nn.functional.cross_entropy(logits.flatten(0, 1), text[:, 1 : length + 1].flatten()).backward()
    optimizer.step()
