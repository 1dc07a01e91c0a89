"""The rungs of the ladder: what each adds to the one before. This is the recipe."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from functools import partial

import torch
from torch import nn

from guide_deep_learning.training.models.model import GPTConfig, modern
from guide_deep_learning.training.optimizers.muon import hybrid
from guide_deep_learning.training.optimizers.optimizer import adamw
from guide_deep_learning.training.optimizers.schedule import Schedule

from .data import CONTEXT, VOCABULARY

BASE = GPTConfig(VOCABULARY, CONTEXT, width=128, layers=4, heads=4)
MODERN = modern(BASE)
SHIFTED = replace(MODERN, shifted=32)
TABLES = replace(SHIFTED, layers=2, expansion=2, shifted=0, pairs=2048, threes=2048)


@dataclass(frozen=True)
class Rung:
    """One recipe: a model, an optimizer, a schedule.

    Attributes:
        adds: what it changes of the rung before, in a few words.
        config: of the model.
        build_optimizer: of that model.
        schedule: the learning rate of a step.
        every: steps between two looks at the held-out text: a fortieth of all, or less.
    """

    adds: str
    config: GPTConfig
    build_optimizer: Callable[[nn.Module], torch.optim.Optimizer]
    schedule: Schedule
    every: int


def constant(rate: float, warmup: int = 0) -> Schedule:
    """The same rate at each step."""
    return Schedule(rate, 1, warmup=warmup, decay="none")


def trapezoid(rate: float, steps: int, warmup: int = 0) -> Schedule:
    """Half of the steps at full rate, then down to a tenth."""
    return Schedule(rate, steps, warmup=warmup, decay="trapezoid")


# Muon with one rate for everything else, and momentum as it was published.
PLAIN_MUON = partial(
    hybrid, lr=0.02, momentum=0.95, embedding=3e-3, head=3e-3, rest=3e-3, betas=(0.9, 0.95)
)

RUNGS = {
    "baseline": Rung(
        "GPT-2's shape, AdamW at 1e-3", BASE, partial(adamw, lr=1e-3), constant(1e-3), 20
    ),
    "schedule": Rung(
        "three times the rate, warmed up and cooled down",
        BASE,
        partial(adamw, lr=3e-3),
        trapezoid(3e-3, 700, warmup=50),
        20,
    ),
    "modern": Rung(
        "rotary positions, RMSNorm, squared ReLU, normed queries and keys, zeros first",
        MODERN,
        partial(adamw, lr=3e-3),
        trapezoid(3e-3, 350, warmup=20),
        10,
    ),
    "muon": Rung("Muon for the matrices", MODERN, PLAIN_MUON, constant(0.02), 5),
    "rates": Rung(
        "a rate for each kind of weight, less momentum, cooled down",
        MODERN,
        hybrid,
        trapezoid(0.03, 90),
        2,
    ),
    "shift": Rung(
        "a quarter of what attention reads comes from the byte before",
        SHIFTED,
        hybrid,
        trapezoid(0.03, 80),
        2,
    ),
    "tables": Rung(
        "half of the weights become tables for the last two and three bytes",
        TABLES,
        hybrid,
        trapezoid(0.03, 34),
        2,
    ),
}
