"""How it learns: the optimizer, and the learning rate at each step."""

from __future__ import annotations

import torch
from torch import nn

from guide_deep_learning.training.optimizers.schedule import Schedule

from .options import Options


def build_optimizer(model: nn.Module, options: Options) -> torch.optim.Optimizer:
    """AdamW: matrices decay, biases and gains do not."""
    groups = [
        {"params": [p for p in model.parameters() if p.ndim >= 2], "weight_decay": 0.1},
        {"params": [p for p in model.parameters() if p.ndim < 2], "weight_decay": 0.0},
    ]
    return torch.optim.AdamW(groups, lr=options.lr, betas=(0.9, 0.95))


def build_schedule(options: Options) -> Schedule:
    """Warm up over the first twentieth, then decay along a cosine to a tenth."""
    warmup = min(options.steps // 20, 100)
    return Schedule(options.lr, options.steps, warmup=warmup, decay="cosine")
