"""Figures of threads that wait for each other, alone and with a neighbour."""

from __future__ import annotations

import contextlib
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from typing import Any

from guide_deep_learning.figures.alone import median_ns, threads


def neighbour(quick: bool = False) -> dict[str, Any]:
    """A training step with one thread and with all, alone and beside a program that computes."""
    from guide.machine import usable_threads

    most, seconds = usable_threads(), 0.03 if quick else 0.35
    step, rows = small_step(8 if quick else 96), []
    for beside in (False, True):
        with busy() if beside else contextlib.nullcontext():
            for count in sorted({1, most}):
                with threads(count):
                    name = f"{count} thread{'s' * (count > 1)}{', a neighbour' * beside}"
                    rows.append((name, median_ns(step, seconds)))
    half = len(rows) // 2
    one, many, crowded_one, crowded = (rows[i][1] for i in (0, half - 1, half, -1))
    return {
        "what": "one training step, shorter is better",
        "log": False,
        "rows": rows,
        "values": {
            "threads_count": most,
            "one_ns": one,
            "many_ns": many,
            "many_x": one / many,
            "one_crowded_ns": crowded_one,
            "many_crowded_ns": crowded,
            "crowded_x": crowded / many,
        },
    }


def small_step(batch: int) -> Callable[[], object]:
    """Forward and backward of six small layers: some twenty operations that threads meet after."""
    import torch
    from torch import nn

    with torch.random.fork_rng(devices=[]):
        torch.manual_seed(0)
        layers = [nn.Sequential(nn.Linear(256, 256), nn.GELU()) for _ in range(6)]
        model, x = nn.Sequential(*layers), torch.randn(batch, 256)

    def step() -> object:
        model.zero_grad(set_to_none=True)
        loss = model(x).square().mean()
        loss.backward()
        return loss

    return step


@contextlib.contextmanager
def busy() -> Iterator[None]:
    """Within the block another program keeps one core busy."""
    program = subprocess.Popen([sys.executable, "-S", "-c", "while True: pass"])
    try:
        time.sleep(0.05)  # until it computes
        yield
    finally:
        program.kill()
        program.wait()
