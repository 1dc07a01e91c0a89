"""The model. Yours to change: this is one layer of it, the rest is the engine's GPT."""

from __future__ import annotations

import torch
from torch import Tensor, nn

from guide_deep_learning.training.models.model import (
    GPT,
    CausalAttention,
    GPTConfig,
    KeysValues,
    norm_of,
)

from .options import Options

ROWS = 16_384  # of the table for the last two bytes, and of that for the last three


class Block(nn.Module):
    """Attention mixes positions, the two-layer network works on each; both add to their input."""

    def __init__(self, config: GPTConfig, layer: int) -> None:
        super().__init__()
        self.norm_attention = norm_of(config)
        self.attention = CausalAttention(config, layer)
        self.norm_mlp = norm_of(config)
        self.up = nn.Linear(config.width, 4 * config.width)
        self.out = nn.Linear(4 * config.width, config.width)

    def forward(
        self, x: Tensor, turns: Tensor | None = None, past: KeysValues | None = None
    ) -> Tensor:
        """One layer: (batch, time, width) to the same; `past` while it generates."""
        x = x + self.attention(self.norm_attention(x), turns, past)
        added: Tensor = self.out(squared_relu(self.up(self.norm_mlp(x))))
        return x + added


def squared_relu(x: Tensor) -> Tensor:
    """What is positive is squared, what is not is 0 (So et al., 2021)."""
    positive = x > 0
    squares = torch.zeros_like(x)
    squares[positive] = x[positive] ** 2
    return squares


def build_model(options: Options, vocabulary: int) -> GPT:
    """A new model; its weights come from torch's global random state."""
    o = options
    shape = (vocabulary, o.context, o.width, o.layers, o.heads)
    return GPT(GPTConfig(*shape, dropout=o.dropout, pairs=ROWS, threes=ROWS), block=Block)
