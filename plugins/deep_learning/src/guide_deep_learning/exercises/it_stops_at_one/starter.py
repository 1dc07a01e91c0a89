"""Gradient descent in 16 bits."""

import torch


class Training:
    """Weights, and how they are moved."""

    def __init__(self, weights: torch.Tensor, rate: float) -> None:
        """Begin with `weights`, float32; each step moves them by `rate` times the gradient."""
        self.weights = weights.to(torch.bfloat16)
        self.rate = rate
        self.scale = 1.0

    def step(self, gradient: torch.Tensor) -> None:
        """Make a step; `gradient` is float16, and `scale` times as large as the true one."""
        self.weights -= (self.rate / self.scale) * gradient.float()
