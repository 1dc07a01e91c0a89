"""The model. Yours to change: this is one layer of it, the rest is the engine's GPT."""

from __future__ import annotations

import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

from guide_deep_learning.training.models.model import (
    GPT,
    CausalAttention,
    GPTConfig,
    KeysValues,
    norm_of,
)

from .options import Options


class Block(nn.Module):
    """Attention mixes positions, the two-layer network works on each; both add to their input.

    A first thing to try is `F.relu(...).square()` in place of GELU (So et al., 2021).
    """

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
        added: Tensor = self.out(F.gelu(self.up(self.norm_mlp(x)), approximate="tanh"))
        return x + added


def build_model(options: Options, vocabulary: int) -> GPT:
    """A new model; its weights come from torch's global random state."""
    o = options
    config = GPTConfig(vocabulary, o.context, o.width, o.layers, o.heads, dropout=o.dropout)
    return GPT(config, block=Block)
