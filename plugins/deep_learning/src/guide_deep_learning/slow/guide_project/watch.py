"""Curves about the gradients, for the report: their length, their spread, how much of them is 0."""

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
        """Log the length of all gradients together, and the worst of what each of them is like."""
        squares, emptiest, widest = 0.0, 0.0, 0.0
        for parameter in self.model.parameters():
            if parameter.grad is None:
                continue
            gradient = parameter.grad.double()  # a sum over a million numbers
            squares += gradient.norm().item() ** 2
            emptiest = max(emptiest, (gradient == 0).double().mean().item())
            widest = max(widest, gradient.std(correction=0).item())
        self.run.log("gradient", math.sqrt(squares))
        self.run.log("gradient.zeros", emptiest)
        self.run.log("gradient.spread", widest)
