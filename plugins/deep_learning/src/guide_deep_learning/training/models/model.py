"""A small GPT over bytes: one screen, nothing hidden.

Pre-norm blocks. As it comes it is GPT-2's shape: LayerNorm, GELU, learned positions, and an output
that reuses the embedding's weight (Press and Wolf, 2016), initialised as GPT-2 was: normal, 0.02,
and the two matrices of a block that write into the residual stream made smaller by the square root
of how many of them there are. Each field of `GPTConfig` after the first five swaps one piece, so
that each can be measured alone; `modern` swaps all that pay.
"""

from __future__ import annotations

import contextlib
from collections.abc import Callable, Iterator
from dataclasses import dataclass, replace
from typing import Literal

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows it by
from torch import Tensor, nn

from guide.errors import GuideError
from guide_deep_learning.training.models.ngrams import SEEN, NGrams


@dataclass(frozen=True, slots=True)
class GPTConfig:
    """The shape of a model. Raises GuideError when it is no possible one."""

    vocabulary: int = 256
    context: int = 64  # bytes it sees
    width: int = 128  # of the residual stream
    layers: int = 4
    heads: int = 4
    positions: Literal["learned", "rotary"] = "learned"  # rotary: Su et al., 2021
    norm: Literal["layer", "rms"] = "layer"  # rms: without parameters; Zhang and Sennrich, 2019
    activation: Literal["gelu", "relu2"] = "gelu"  # relu2: squared ReLU; So et al., 2021
    qk_norm: bool = False  # queries and keys of length 1; Henry et al., 2020
    tied: bool = True  # the output reuses the embedding
    zero_out: bool = False  # what writes into the residual stream begins at 0
    bias: bool = True
    dropout: float = 0.0
    expansion: int = 4  # of the two-layer network, over the width
    norm_embedding: bool = False  # the norm of the blocks, on what enters the first
    shifted: int = (
        0  # numbers of an attention's input that are the byte before's; Peng et al., 2023
    )
    pairs: int = 0  # rows of a table for the last two bytes, and for the last three: `ngrams`
    threes: int = 0

    def __post_init__(self) -> None:
        for name in ("vocabulary", "context", "width", "layers", "heads", "expansion"):
            if getattr(self, name) < 1:
                raise GuideError(f"{name} must be at least 1, not {getattr(self, name)}")
        for name in ("shifted", "pairs", "threes"):
            if getattr(self, name) < 0:
                raise GuideError(f"{name} must be 0 or more, not {getattr(self, name)}")
        if self.shifted > self.width:
            raise GuideError(f"shifted is at most the width, {self.width}, not {self.shifted}")
        if self.width % self.heads:
            raise GuideError(
                f"width {self.width} cannot be shared among {self.heads} heads",
                f"take a width that is a multiple: --set width={self.heads * 32}",
            )
        if self.positions == "rotary" and self.width // self.heads % 2:
            raise GuideError(
                f"rotary positions turn pairs, and a head of width {self.width // self.heads} "
                "cannot be parted into pairs",
                f"take a width that is a multiple: --set width={self.heads * 32}",
            )
        if not 0 <= self.dropout < 1:
            raise GuideError(f"dropout must be from 0 to below 1, not {self.dropout}")


def modern(config: GPTConfig) -> GPTConfig:
    """The same size with the pieces that reach a loss in fewer steps."""
    return replace(
        config,
        positions="rotary",
        norm="rms",
        activation="relu2",
        qk_norm=True,
        tied=False,
        zero_out=True,
        bias=False,
        norm_embedding=True,
    )


class KeysValues:
    """Keys and values of the positions seen so far: what generation need not compute again.

    Args:
        config: of the model.
        batch: texts that are continued side by side.
        like: a tensor of the model, for device and dtype.
    """

    def __init__(self, config: GPTConfig, batch: int, like: Tensor) -> None:
        head = config.width // config.heads
        shape = (config.layers, 2, batch, config.heads, config.context, head)
        self.held = torch.empty(shape, device=like.device, dtype=like.dtype)
        self.length = 0  # positions that all layers hold
        # What the newest position leaves to the next: its bytes, and its share of each layer.
        self.text = torch.zeros(batch, SEEN, device=like.device, dtype=torch.int64)
        rest = (config.layers, batch, 1, config.shifted)
        self.rest = torch.zeros(rest, device=like.device, dtype=like.dtype)

    def extend(self, layer: int, k: Tensor, v: Tensor) -> tuple[Tensor, Tensor]:
        """Add (batch, heads, time, width of a head) of new positions; returns those of all."""
        end = self.length + k.shape[2]
        keys, values = self.held[layer]
        keys[:, :, self.length : end] = k
        values[:, :, self.length : end] = v
        return keys[:, :, :end], values[:, :, :end]


def shifted_by_one(x: Tensor, count: int, before: Tensor | None) -> Tensor:
    """The first `count` numbers of each position of (batch, time, width) from the one before it.

    `before` is (batch, 1, count): of the position before the first; None is zeros.
    """
    part = x[:, :, :count]
    late = F.pad(part[:, :-1], (0, 0, 1, 0))
    if before is not None:
        late = torch.cat((before.to(x.dtype), part[:, :-1]), dim=1)
    return torch.cat((late, x[:, :, count:]), dim=-1)


class CausalAttention(nn.Module):
    """Each position looks at itself and at those before it; (batch, time, width) to the same."""

    def __init__(self, config: GPTConfig, layer: int = 0) -> None:
        super().__init__()
        self.heads, self.layer = config.heads, layer
        self.qk_norm, self.rotary = config.qk_norm, config.positions == "rotary"
        self.dropout, self.shifted = config.dropout, config.shifted
        self.qkv = nn.Linear(config.width, 3 * config.width, bias=config.bias)
        self.out = nn.Linear(config.width, config.width, bias=config.bias)

    def forward(
        self, x: Tensor, turns: Tensor | None = None, past: KeysValues | None = None
    ) -> Tensor:
        """Mix positions.

        Args:
            x: (batch, time, width).
            turns: what `turns_of` returns for these positions, where positions are rotary.
            past: the positions before these; None when these are all.
        """
        batch, time, width = x.shape
        if self.shifted:
            newest = x[:, -1:, : self.shifted]
            x = shifted_by_one(x, self.shifted, past.rest[self.layer] if past else None)
            if past is not None:
                past.rest[self.layer] = newest
        qkv = self.qkv(x).view(batch, time, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (batch, heads, time, width of a head)
        if self.qk_norm:
            q, k = F.rms_norm(q, q.shape[-1:]), F.rms_norm(k, k.shape[-1:])
        if turns is not None:
            q, k = turned(q, turns), turned(k, turns)
        alone = past is None or past.length == 0
        if past is not None:
            k, v = past.extend(self.layer, k, v)
        mask = None
        if not alone and time > 1:  # new position i sees all that were there, and i new ones
            mask = torch.ones(time, k.shape[2], dtype=torch.bool, device=x.device)
            mask = mask.tril(k.shape[2] - time)
        mixed = F.scaled_dot_product_attention(q, k, v, attn_mask=mask, is_causal=alone)
        out: Tensor = self.out(mixed.transpose(1, 2).reshape(batch, time, width))
        return F.dropout(out, self.dropout, self.training) if self.dropout else out


def turns_of(config: GPTConfig, first: int, count: int, device: torch.device) -> Tensor:
    """Cosines and sines by which rotary positions turn queries and keys: (2, count, head / 2)."""
    half = config.width // config.heads // 2
    rates = 1e4 ** (-torch.arange(half, device=device) / half)
    angles = torch.arange(first, first + count, device=device)[:, None] * rates
    return torch.stack((angles.cos(), angles.sin()))


def turned(x: Tensor, turns: Tensor) -> Tensor:
    """Turn (batch, heads, time, head) by position: halves are real and imaginary parts."""
    cos, sin = turns.to(x.dtype)
    real, imaginary = x.chunk(2, dim=-1)
    return torch.cat((real * cos - imaginary * sin, real * sin + imaginary * cos), dim=-1)


def norm_of(config: GPTConfig) -> nn.Module:
    """The norm that `config` asks for."""
    if config.norm == "layer":
        return nn.LayerNorm(config.width, bias=config.bias)
    return nn.RMSNorm(config.width, elementwise_affine=False)


class Block(nn.Module):
    """Attention mixes positions, the two-layer network works on each; both add to their input."""

    def __init__(self, config: GPTConfig, layer: int = 0) -> None:
        super().__init__()
        self.norm_attention = norm_of(config)
        self.attention = CausalAttention(config, layer)
        self.norm_mlp = norm_of(config)
        self.up = nn.Linear(config.width, config.expansion * config.width, bias=config.bias)
        self.out = nn.Linear(config.expansion * config.width, config.width, bias=config.bias)
        self.squared, self.dropout = config.activation == "relu2", config.dropout

    def forward(
        self, x: Tensor, turns: Tensor | None = None, past: KeysValues | None = None
    ) -> Tensor:
        """One layer; (batch, time, width) to the same."""
        x = x + self.attention(self.norm_attention(x), turns, past)
        up = self.up(self.norm_mlp(x))
        up = F.relu(up).square() if self.squared else F.gelu(up, approximate="tanh")
        added: Tensor = self.out(up)
        return x + (F.dropout(added, self.dropout, self.training) if self.dropout else added)


class GPT(nn.Module):
    """Bytes in, a score for each possible next byte out.

    Args:
        config: its shape.
        block: makes one layer from the config and the layer's number; hand in your own to change
            the architecture. A Linear named `out` is taken to write into the residual stream.
    """

    def __init__(
        self, config: GPTConfig, block: Callable[[GPTConfig, int], nn.Module] = Block
    ) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, config.width)
        self.ngrams = None
        if config.pairs or config.threes:
            self.ngrams = NGrams(config.vocabulary, config.width, config.pairs, config.threes)
        self.position = None
        if config.positions == "learned":
            self.position = nn.Embedding(config.context, config.width)
        self.norm_embedding = norm_of(config) if config.norm_embedding else None
        self.blocks = nn.ModuleList(block(config, layer) for layer in range(config.layers))
        self.norm = norm_of(config)
        self.head = nn.Linear(config.width, config.vocabulary, bias=False)
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                residual = name.rpartition(".")[2] == "out"
                std = 0.02 / (2 * config.layers) ** 0.5 if residual else 0.02
                nn.init.normal_(module.weight, std=0.0 if residual and config.zero_out else std)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)
        if self.ngrams is not None:  # a row that was never seen says nothing
            for table in self.ngrams.parameters():
                nn.init.zeros_(table)
        if config.tied:
            self.head.weight = self.embedding.weight

    def forward(self, inputs: Tensor, past: KeysValues | None = None) -> Tensor:
        """Score next bytes: (batch, time) of int64 to (batch, time, vocabulary).

        With `past`, `inputs` are the positions after those it holds, and it holds these too
        afterwards.
        """
        first, time = past.length if past else 0, inputs.shape[1]
        if past is not None and first == 0:  # whoever sets `length` to 0 begins anew
            past.text, past.rest = torch.zeros_like(past.text), torch.zeros_like(past.rest)
        x, turns = self.embedding(inputs), None
        if self.position is not None:
            x = x + self.position.weight[first : first + time]
        else:
            turns = turns_of(self.config, first, time, inputs.device)
        if self.ngrams is not None:
            x = x + self.ngrams(inputs, past.text if past else None)
        if self.norm_embedding is not None:
            x = self.norm_embedding(x)
        for block in self.blocks:
            x = block(x, turns, past)
        if past is not None:
            past.length = first + time
            past.text = torch.cat((past.text, inputs), dim=1)[:, -SEEN:]
        scores: Tensor = self.head(self.norm(x))
        return scores


def parameters(model: nn.Module) -> int:
    """How many numbers training adjusts."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


@contextlib.contextmanager
def evaluating(model: nn.Module) -> Iterator[None]:
    """Within the block the model computes without dropout; a training then goes on as before."""
    if not model.training:
        yield
        return
    model.eval()
    try:
        yield
    finally:
        model.train()
