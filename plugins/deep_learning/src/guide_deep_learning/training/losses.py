"""What a model is judged by: from tensors to one number."""

from __future__ import annotations

from collections.abc import Callable

import torch.nn.functional as F  # noqa: N812
from torch import Tensor

Forward = Callable[[Tensor], Tensor]


def next_byte_loss(forward: Forward, windows: Tensor) -> Tensor:
    """How surprised a language model is by each next byte.

    Args:
        forward: (batch, time) of int64 to (batch, time, vocabulary).
        windows: (batch, time + 1) of uint8: inputs, and shifted by one the targets.

    Returns:
        The mean cross entropy, in nats a byte.
    """
    numbers = windows.long()  # here, on the device: as bytes the copy to it is an eighth
    scores = forward(numbers[:, :-1])
    return F.cross_entropy(scores.flatten(0, 1), numbers[:, 1:].flatten())


def class_loss(forward: Forward, images: Tensor, labels: Tensor) -> Tensor:
    """How surprised a classifier is by each label.

    Args:
        forward: (batch, 1, height, width) of float32, 0 to 1, to (batch, classes).
        images: (batch, height, width) of uint8.
        labels: (batch,) of any integer type.

    Returns:
        The mean cross entropy, in nats an image.
    """
    scores = forward(images[:, None].float() / 255)
    return F.cross_entropy(scores, labels.long())
