"""Curves about the gradients, for the report: how long they are, and how much of them is 0."""

from __future__ import annotations

import math
from typing import Any

import torch
from torch import nn

from guide.run import Run


class Watch:
    """Looks at each gradient before the optimizer uses it.

    Args:
        run: whose report gets the curves.
        model: whose gradients they are.
        optimizer: of that model.
    """

    def __init__(self, run: Run, model: nn.Module, optimizer: torch.optim.Optimizer) -> None:
        self.run, self.model = run, model
        optimizer.register_step_pre_hook(self.look)

    @torch.no_grad()
    def look(self, optimizer: torch.optim.Optimizer, *_: Any) -> None:
        """Log the length of all gradients together, and the share of 0 in the emptiest."""
        squares, emptiest = 0.0, 0.0
        for parameter in self.model.parameters():
            gradient = parameter.grad
            if gradient is None:
                continue
            squares += gradient.norm().item() ** 2
            emptiest = max(emptiest, (gradient == 0).float().mean().item())
        self.run.log("gradient", math.sqrt(squares))
        self.run.log("gradient.zeros", emptiest)
