"""Out of memory, in words: which tensors hold it, and what to lower."""

from __future__ import annotations

import re
from collections.abc import Iterable

import torch
from torch import Tensor, nn

from guide.errors import GuideError
from guide.machine import memory_bytes
from guide.units import size

_SIGNS = ("out of memory", "can't allocate memory", "Unable to allocate", "not enough memory")
_LOWER = {
    "activations": "lower batch, context, width or layers: accumulate=N gathers N small batches",
    "optimizer": "lower width or layers; an optimizer without second moments needs half",
}


class OutOfMemory(GuideError):
    """There was no memory for a tensor."""


def holdings(model: nn.Module, optimizer: torch.optim.Optimizer) -> dict[str, int]:
    """Bytes of weights, gradients and optimizer state as they are now."""
    parameters = list(model.parameters())
    moments = (
        value
        for part in getattr(optimizer, "optimizers", [optimizer])
        for state in part.state.values()
        for value in state.values()
        if isinstance(value, Tensor)
    )
    return {
        "weights": _bytes(parameters),
        "gradients": _bytes(p.grad for p in parameters if p.grad is not None),
        "optimizer": _bytes(moments),
    }


def explained(
    error: BaseException, phase: str, model: nn.Module, optimizer: torch.optim.Optimizer
) -> OutOfMemory | None:
    """`error` in words, where it says that there was no memory; None where it says other things.

    Args:
        error: what a step raised.
        phase: what it was doing: in "forward" and "backward" it is activations that grow.
        model: whose weights they are.
        optimizer: over that model's parameters.
    """
    text = str(error)
    if not (isinstance(error, MemoryError) or any(sign in text for sign in _SIGNS)):
        return None
    held = holdings(model, optimizer)
    grew = "optimizer" if phase == "optimizer" else "activations"
    if grew == "activations" and next(model.parameters()).is_cuda:
        device = next(model.parameters()).device
        held[grew] = max(torch.cuda.memory_allocated(device) - sum(held.values()), 0)
    asked = re.search(r"(?:allocate|tried to allocate) ([\d.]+ ?[KMGT]?i?B|\d+ bytes)", text)
    wanted = f"{_amount(asked[1])} more for {grew}" if asked else f"more {grew}"
    holds = ", ".join(f"{name} {size(count)}" for name, count in held.items() if count)
    return OutOfMemory(
        f"out of memory in {phase}: no room for {wanted}; held are {holds}{_of(model)}",
        _LOWER[grew],
    )


def _of(model: nn.Module) -> str:
    device = next(model.parameters()).device
    if device.type == "cuda":
        return f", the GPU has {size(torch.cuda.get_device_properties(device).total_memory)}"
    there = memory_bytes()
    return f", the machine has {size(there)}" if there else ""


def _amount(text: str) -> str:
    count, _, unit = text.partition(" ")
    return size(int(count)) if unit == "bytes" else text


def _bytes(tensors: Iterable[Tensor]) -> int:
    return sum(t.numel() * t.element_size() for t in tensors)
