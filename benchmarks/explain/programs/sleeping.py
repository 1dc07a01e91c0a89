"""A dataset that waits for each sample, as a far disk does; without the fault it does not."""

import sys
import time

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

FAULT = "--fault" in sys.argv
SMALL = "--small" in sys.argv

torch.manual_seed(0)
torch.set_num_threads(1)
width, rows = (64, 8) if SMALL else (512, 64)


class Samples(Dataset):
    """Rows of noise."""

    data = torch.randn(4096, width)

    def __len__(self):
        return len(self.data)

    def __getitem__(self, index):
        if FAULT:
            time.sleep(0.0005)
        return self.data[index], index % 10


model = nn.Sequential(
    nn.Linear(width, 2 * width), nn.ReLU(), nn.Linear(2 * width, width), nn.Linear(width, 10)
)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, fused=True)

for _epoch in range(100):
    for batch, labels in DataLoader(Samples(), batch_size=rows):
        loss = nn.functional.cross_entropy(model(batch), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
