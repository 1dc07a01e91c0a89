"""Samples are decoded byte by byte in Python; without the fault all bytes of one at once."""

import sys

import torch
from torch import nn
from torch.utils.data import DataLoader, Dataset

FAULT = "--fault" in sys.argv
SMALL = "--small" in sys.argv

torch.manual_seed(0)
torch.set_num_threads(1)
width, rows = (512, 16) if SMALL else (1024, 64)


def decoded(raw):
    """Bytes as numbers from 0 to 1."""
    if FAULT:
        return torch.tensor([byte / 255 for byte in raw])
    return torch.frombuffer(raw, dtype=torch.uint8).float().div_(255)


rows_of_bytes = torch.randint(256, (2048, width), dtype=torch.uint8).numpy()
files = [bytearray(row) for row in rows_of_bytes]


class Samples(Dataset):
    """Rows of bytes, as files have them."""

    def __len__(self):
        return len(files)

    def __getitem__(self, index):
        return decoded(files[index]), index % 10


model = nn.Sequential(
    nn.Linear(width, width), nn.ReLU(), nn.Linear(width, width), nn.ReLU(), nn.Linear(width, 10)
)
optimizer = torch.optim.SGD(model.parameters(), lr=0.01, fused=True)

for _epoch in range(100):
    for batch, labels in DataLoader(Samples(), batch_size=rows):
        loss = nn.functional.cross_entropy(model(batch), labels)
        optimizer.zero_grad()
        loss.backward()
        optimizer.step()
