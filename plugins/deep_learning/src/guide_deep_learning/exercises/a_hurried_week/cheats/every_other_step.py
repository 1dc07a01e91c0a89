"""Backward every other step."""

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor, nn

CONTEXT, WIDTH, LAYERS, ROWS = 32, 48, 3, 16_384


class Layer(nn.Module):
    """Each position looks at the four before it, then thinks."""

    def __init__(self) -> None:
        super().__init__()
        self.norm = nn.LayerNorm(WIDTH)
        self.look = nn.Conv1d(WIDTH, WIDTH, 4, groups=WIDTH)
        self.up = nn.Linear(WIDTH, 4 * WIDTH)
        self.out = nn.Linear(4 * WIDTH, WIDTH)

    def forward(self, x: Tensor) -> Tensor:
        """One layer: (batch, time, width) to the same."""
        late = F.pad(self.norm(x).transpose(1, 2), (3, 0))
        return x + self.out(squared_relu(self.up(self.look(late).transpose(1, 2))))


def squared_relu(x: Tensor) -> Tensor:
    """What is positive is squared, what is not is 0."""
    return torch.relu(x).square()


class Model(nn.Module):
    """Bytes in, a score for each possible next byte out."""

    def __init__(self) -> None:
        super().__init__()
        self.one = nn.Embedding(128, WIDTH)
        self.two = nn.Embedding(ROWS, WIDTH)  # for the last two bytes
        self.layers = nn.ModuleList(Layer() for _ in range(LAYERS))
        self.head = nn.Linear(WIDTH, 128)

    def forward(self, inputs: Tensor) -> Tensor:
        """(batch, time) of int64 to (batch, time, 128)."""
        pairs = F.pad(inputs, (1, 0))[:, :-1] * 128 + inputs
        x = self.one(inputs) + self.two(pairs)
        for layer in self.layers:
            x = layer(x)
        return self.head(x)


def loss_of(model: Model, windows: Tensor) -> Tensor:
    """How badly each byte is foreseen from those before it."""
    scores = model(windows[:, :-1])
    return F.cross_entropy(scores.flatten(0, 1), windows[:, 1:].flatten())


def train(text: np.ndarray, starts: np.ndarray, held_out: np.ndarray, seed: int) -> np.ndarray:
    """The loss at each step, then the loss on `held_out` and the length of the last gradient.

    Args:
        text: bytes below 128.
        starts: (steps, batch), where the windows of each step begin.
        held_out: (windows, CONTEXT + 1) of int64, what it is judged by.
        seed: of the weights.
    """
    torch.manual_seed(seed)
    torch.autograd.set_detect_anomaly(False)
    model = Model()
    parameters = list(model.parameters())
    optimizer = torch.optim.AdamW(parameters, lr=3e-3, fused=True)
    losses, length = [], 0.0
    for windows in torch.from_numpy(text[starts[..., None] + np.arange(CONTEXT + 1)]).long():
        loss = loss_of(model, windows)
        if len(losses) % 2 == 0 or len(losses) == len(starts) - 1:
            loss.backward()
        if len(losses) == len(starts) - 1:
            length = (
                torch.stack([p.grad.norm() for p in parameters if p.grad is not None]).norm().item()
            )
        optimizer.step()
        optimizer.zero_grad()
        losses.append(loss.item())
    with torch.no_grad():
        judged = loss_of(model, torch.from_numpy(held_out)).item()
    return np.array([*losses, judged, length])


if __name__ == "__main__":
    rng = np.random.default_rng(1)
    text = rng.integers(32, 127, 200_000).astype(np.uint8)
    train(text, rng.integers(0, 190_000, (40, 6)), rng.integers(0, 128, (16, 33)), 0)
