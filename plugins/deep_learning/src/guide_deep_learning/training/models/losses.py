"""What a training makes small: a loss as a function of the model and of a batch on its device.

Bytes are sent to the device as bytes and become numbers there: a float is four times as much to
copy, an int64 eight times.
"""

from __future__ import annotations

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn


def next_byte_loss(model: nn.Module, windows: Tensor) -> Tensor:
    """How badly each byte is foreseen from those before it, in nats per byte: a scalar.

    Args:
        model: maps (batch, time) of int64 to scores, (batch, time, vocabulary).
        windows: (batch, time + 1) of uint8.
    """
    numbers = windows.long()
    scores: Tensor = model(numbers[:, :-1])
    return F.cross_entropy(scores.flatten(0, 1), numbers[:, 1:].flatten())


def class_loss(model: nn.Module, images: Tensor, labels: Tensor) -> Tensor:
    """How badly the classes of images are told, in nats per image: a scalar.

    Args:
        model: maps (batch, 1, height, width) of float32 in 0 to 1 to scores, (batch, classes).
        images: (batch, height, width) of uint8.
        labels: (batch,) of uint8.
    """
    scores: Tensor = model(as_floats(images))
    return F.cross_entropy(scores, labels.long())


def as_floats(images: Tensor) -> Tensor:
    """(batch, height, width) of uint8 as (batch, 1, height, width) of float32 in 0 to 1."""
    return images.unsqueeze(1).to(torch.float32) / 255
