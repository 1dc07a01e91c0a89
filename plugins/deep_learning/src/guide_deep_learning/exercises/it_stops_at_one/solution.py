"""Gradient descent in 16 bits, with weights that remember."""

import torch


class Training:
    """Weights, and how they are moved."""

    def __init__(self, weights: torch.Tensor, rate: float) -> None:
        """Begin with `weights`, float32; each step moves them by `rate` times the gradient."""
        self.master = weights.to(torch.float32).clone()  # what is updated keeps its digits
        self.weights = self.master.to(torch.bfloat16)  # what is computed with is rounded anew
        self.rate = rate
        self.scale = 2.0**24

    def step(self, gradient: torch.Tensor) -> None:
        """Make a step; `gradient` is float16, and `scale` times as large as the true one."""
        if not torch.isfinite(gradient).all():
            self.scale /= 2
            return
        self.master.add_(gradient.float(), alpha=-self.rate / self.scale)
        self.weights.copy_(self.master)
