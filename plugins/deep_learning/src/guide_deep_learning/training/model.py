"""A small GPT over bytes: one screen, nothing hidden.

Pre-norm blocks, learned positions, and an output that reuses the embedding's weight (Press and
Wolf, 2016). Initialised as GPT-2 was: normal, 0.02, and the two matrices of a block that write
into the residual stream made smaller by the square root of how many of them there are.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

import torch
import torch.nn.functional as F  # noqa: N812 - the name everybody knows it by
from torch import Tensor, nn

from guide.errors import GuideError


@dataclass(frozen=True, slots=True)
class GPTConfig:
    """The shape of a model. Raises GuideError when it is no possible one."""

    vocabulary: int = 256
    context: int = 64  # bytes it sees
    width: int = 128  # of the residual stream
    layers: int = 4
    heads: int = 4

    def __post_init__(self) -> None:
        for name in ("vocabulary", "context", "width", "layers", "heads"):
            if getattr(self, name) < 1:
                raise GuideError(f"{name} must be at least 1, not {getattr(self, name)}")
        if self.width % self.heads:
            raise GuideError(
                f"width {self.width} cannot be shared among {self.heads} heads",
                f"take a width that is a multiple: --set width={self.heads * 32}",
            )


class CausalAttention(nn.Module):
    """Each position looks at itself and at those before it; (batch, time, width) to the same."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.heads = config.heads
        self.qkv = nn.Linear(config.width, 3 * config.width)
        self.out = nn.Linear(config.width, config.width)

    def forward(self, x: Tensor) -> Tensor:
        """Mix positions."""
        batch, time, width = x.shape
        qkv = self.qkv(x).view(batch, time, 3, self.heads, width // self.heads)
        q, k, v = qkv.permute(2, 0, 3, 1, 4)  # each (batch, heads, time, width of a head)
        mixed = F.scaled_dot_product_attention(q, k, v, is_causal=True)
        out: Tensor = self.out(mixed.transpose(1, 2).reshape(batch, time, width))
        return out


class Block(nn.Module):
    """Attention mixes positions, the two-layer network works on each; both add to their input."""

    def __init__(self, config: GPTConfig) -> None:
        super().__init__()
        self.norm_attention = nn.LayerNorm(config.width)
        self.attention = CausalAttention(config)
        self.norm_mlp = nn.LayerNorm(config.width)
        self.up = nn.Linear(config.width, 4 * config.width)
        self.out = nn.Linear(4 * config.width, config.width)

    def forward(self, x: Tensor) -> Tensor:
        """One layer; (batch, time, width) to the same."""
        x = x + self.attention(self.norm_attention(x))
        added: Tensor = self.out(F.gelu(self.up(self.norm_mlp(x)), approximate="tanh"))
        return x + added


class GPT(nn.Module):
    """Bytes in, a score for each possible next byte out.

    Args:
        config: its shape.
        block: makes one layer from the config; hand in your own to change the architecture. A
            Linear named `out` is taken to write into the residual stream.
    """

    def __init__(self, config: GPTConfig, block: Callable[[GPTConfig], nn.Module] = Block) -> None:
        super().__init__()
        self.config = config
        self.embedding = nn.Embedding(config.vocabulary, config.width)
        self.position = nn.Embedding(config.context, config.width)
        self.blocks = nn.ModuleList(block(config) for _ in range(config.layers))
        self.norm = nn.LayerNorm(config.width)
        for name, module in self.named_modules():
            if isinstance(module, nn.Linear | nn.Embedding):
                residual = name.rpartition(".")[2] == "out"
                std = 0.02 / (2 * config.layers) ** 0.5 if residual else 0.02
                nn.init.normal_(module.weight, std=std)
            if isinstance(module, nn.Linear) and module.bias is not None:
                nn.init.zeros_(module.bias)

    def forward(self, inputs: Tensor) -> Tensor:
        """Score next bytes: (batch, time) of int64 to (batch, time, vocabulary)."""
        x = self.embedding(inputs) + self.position.weight[: inputs.shape[1]]
        for block in self.blocks:
            x = block(x)
        return F.linear(self.norm(x), self.embedding.weight)


def parameters(model: nn.Module) -> int:
    """How many numbers training adjusts."""
    return sum(p.numel() for p in model.parameters() if p.requires_grad)


@torch.inference_mode()
def generate(
    model: nn.Module,
    prompt: bytes,
    count: int,
    *,
    context: int,
    temperature: float = 0.8,
    seed: int = 0,
) -> bytes:
    """Continue `prompt` by `count` bytes.

    Args:
        model: as `GPT`: (1, time) of int64 to (1, time, vocabulary).
        prompt: at least one byte; only its last `context` are seen.
        count: bytes to add.
        context: the most positions the model takes.
        temperature: below 1 keeps to the likely, 0 always takes the likeliest.
        seed: draws come from a generator of their own, so that sampling in the middle of a
            training leaves that training's random state alone.

    Returns:
        The new bytes alone.
    """
    device = next(model.parameters()).device
    generator = torch.Generator().manual_seed(seed)
    was_training = model.training
    model.eval()
    text = torch.tensor([list(prompt)])
    for _ in range(count):
        scores = model(text[:, -context:].to(device))[0, -1].float().cpu()
        if temperature > 0:
            chances = torch.softmax(scores / temperature, dim=0)
            chosen = torch.multinomial(chances, 1, generator=generator)
        else:
            chosen = scores.argmax().view(1)
        text = torch.cat([text, chosen[None]], dim=1)
    model.train(was_training)
    return bytes(text[0, len(prompt) :].tolist())
