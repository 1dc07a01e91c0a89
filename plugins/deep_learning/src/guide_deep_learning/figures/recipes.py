"""A figure of recipes: what the same model size has learnt after the same number of steps."""

from __future__ import annotations

import sysconfig
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guide.foundations.figures.stopwatch import series
from guide.learn.chart import Lines
from guide_deep_learning.figures.alone import threads
from guide_deep_learning.training.optimizers.schedule import Schedule

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray
    from torch import nn, optim

_CONTEXT, _BATCH, _MEAN = 32, 8, 10


def climbs(quick: bool = False) -> dict[str, Any]:
    """The loss of a tiny language model over its steps, by four recipes."""
    from functools import partial

    from guide_deep_learning.training.models.model import GPT, GPTConfig, modern
    from guide_deep_learning.training.optimizers.muon import hybrid
    from guide_deep_learning.training.optimizers.optimizer import adamw

    steps = 20 if quick else 100
    base = GPTConfig(256, _CONTEXT, width=64, layers=2, heads=2)
    down = partial(Schedule, steps=steps, decay="trapezoid")
    recipes: dict[str, tuple[Any, Any, Schedule]] = {
        "AdamW": (base, adamw, Schedule(1e-3, 1, decay="none")),
        "3x its rate": (base, adamw, Schedule(3e-3, 1, decay="none")),
        "new pieces": (modern(base), adamw, down(3e-3, warmup=10)),
        "Muon": (modern(base), hybrid, down(0.03)),
    }
    data, lines = _text(), {}
    with threads(1):
        for name, (config, build, rate) in recipes.items():
            losses = _trained(lambda config=config: GPT(config), build, rate, data, steps)  # type: ignore[misc]
            lines[name] = [
                (float(i + _MEAN), sum(losses[i : i + _MEAN]) / _MEAN)
                for i in range(0, steps, _MEAN)
            ]
    ends = {name: points[-1][1] for name, points in lines.items()}
    reached = next((n for n, loss in lines["Muon"] if loss <= ends["AdamW"]), float(steps))
    return {
        "lines": lines,
        "values": {
            "steps_count": steps,
            "plain_ratio": ends["AdamW"],
            "rate_ratio": ends["3x its rate"],
            "pieces_ratio": ends["new pieces"],
            "muon_ratio": ends["Muon"],
            "muon_count": reached,
            "muon_x": steps / reached,
        },
    }


def draw_climbs(data: Mapping[str, Any]) -> Lines:
    """Over the steps."""
    marks = [(float(n), str(n)) for n in range(0, 101, 20)]
    return Lines(series(data), "steps", "loss, nats a byte", log="", x_marks=marks)


def _trained(
    build: Callable[[], nn.Module],
    optimizer_of: Callable[..., optim.Optimizer],
    rate: Schedule,
    data: NDArray[np.uint8],
    steps: int,
) -> list[float]:
    import torch
    from torch.nn.functional import cross_entropy

    from guide_deep_learning.training.data.batches import windows

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        model = build()
    optimizer, losses = optimizer_of(model, lr=rate.peak), []
    for step in range(steps):
        for group in optimizer.param_groups:
            group["lr"] = rate(step) * group.get("scale", 1.0)
        taken = torch.from_numpy(windows(data, 0, step, _BATCH, _CONTEXT)).long()
        loss = cross_entropy(model(taken[:, :-1]).flatten(0, 1), taken[:, 1:].flatten())
        model.zero_grad(set_to_none=True)
        loss.backward()  # type: ignore[no-untyped-call]
        optimizer.step()
        losses.append(loss.item())
    return losses


def _text() -> NDArray[np.uint8]:
    """Some source of the standard library: enough for a few hundred steps."""
    import numpy as np

    files = sorted(Path(sysconfig.get_paths()["stdlib"]).glob("*.py"))
    return np.frombuffer(b"".join(file.read_bytes() for file in files[:80]), np.uint8)
