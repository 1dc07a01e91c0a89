"""A sound training, and one thing that can be put into it."""

import sys
import time

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

torch.manual_seed(0)
torch.set_num_threads(1)
width, rows = 512, 64


class Samples(Dataset):
    """Rows of noise."""

    data = torch.randn(4096, width)

    def __len__(self):
        return len(self.data)

    def __getitem__(self, index):
        if "--loader" in sys.argv:
            time.sleep(0.0005)
        return self.data[index], index % 10


def slowed(grad, x, threshold):
    """What the operator does, and then nothing for a while."""
    time.sleep(0.02)
    return grad * (x > threshold)


if "--operator" in sys.argv:
    library = torch.library.Library("aten", "IMPL")
    library.impl("threshold_backward", slowed, "CPU")


def described(labels):
    """Some words about a batch."""
    if "--python" in sys.argv:
        return sum(len(f"{label} of {i}") for i in range(800) for label in range(len(labels)))
    return len(labels)


def watched(losses):
    """The sum of what was lost."""
    if "--read" in sys.argv:
        return sum(each.item() for each in losses for _ in range(200))
    return losses.sum().item()


model = nn.Sequential(
    nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width), nn.Linear(width, 10)
)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, fused=True)

for _epoch in range(100):
    for batch, labels in DataLoader(Samples(), batch_size=rows):
        losses = nn.functional.cross_entropy(model(batch), labels, reduction="none")
        optimizer.zero_grad()
        losses.mean().backward()
        optimizer.step()
        described(labels)
        watched(losses.detach())
