"""How it learns: the optimizer, and the learning rate at each step."""

from __future__ import annotations

import torch
from torch import nn

from guide_deep_learning.training.optimizers.optimizer import adamw
from guide_deep_learning.training.optimizers.schedule import Schedule

from .options import Options


def build_optimizer(model: nn.Module, options: Options) -> torch.optim.Optimizer:
    """AdamW on all of it. Another optimizer for the matrices is where most steps can be saved."""
    return adamw(model, options.lr, weight_decay=0.1)


def build_schedule(options: Options) -> Schedule:
    """Warm up over the first twentieth, then decay along a cosine to a tenth."""
    warmup = min(options.steps // 20, 100)
    return Schedule(options.lr, options.steps, warmup=warmup, decay="cosine")
