"""What the training engine adds to a plain PyTorch loop, on this machine.

    python benchmarks/training_overhead.py [--rounds N]

Both loops train the same model on the same batches with the same optimizer, in one process and
one thread. They take turns of a few steps, the order drawn anew each round, so that whatever
else the machine does meets both. Each round gives one ratio; printed are their median and the
interval that holds the true median with 95 % (by order statistics, no assumption on the noise).
A second plain loop takes part as well: its ratio to the first is what this machine can resolve.
"""

from __future__ import annotations

import argparse
import math
import random
import statistics
import time
from collections.abc import Callable

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812

from guide.loop import Loop
from guide_deep_learning.training.batches import windows
from guide_deep_learning.training.model import GPT, GPTConfig
from guide_deep_learning.training.optimizer import adamw
from guide_deep_learning.training.schedule import Schedule
from guide_deep_learning.training.trainer import Trainer

DATA = np.random.Philox(key=[0, 0]).random_raw(200_000).view(np.uint8) & 127
RATE = Schedule(1e-3, 1_000_000)


def parts(size: str) -> tuple[GPT, torch.optim.Optimizer, Callable[[int], np.ndarray]]:
    """A model, its optimizer and its batches."""
    width, layers, batch, context = {"small": (32, 1, 4, 16), "scaffold": (128, 2, 12, 64)}[size]
    torch.manual_seed(0)
    model = GPT(GPTConfig(128, context, width, layers, heads=4))
    return model, adamw(model, 1e-3), lambda step: windows(DATA, 0, step, batch, context)


def plain(size: str) -> Callable[[int], None]:
    """The loop everybody writes: runs so many steps."""
    model, optimizer, batch_of = parts(size)
    done = 0

    def run(steps: int) -> None:
        nonlocal done
        for step in range(done, done + steps):
            numbers = torch.from_numpy(batch_of(step)).long()
            scores = model(numbers[:, :-1])
            loss = F.cross_entropy(scores.flatten(0, 1), numbers[:, 1:].flatten())
            loss.backward()
            for group in optimizer.param_groups:
                group["lr"] = RATE(step)
            optimizer.step()
            optimizer.zero_grad(set_to_none=True)
            loss.item()
        done += steps

    return run


def engine(size: str) -> Callable[[int], None]:
    """The engine's step in guide's loop: ticks, spans, a budget, the guard."""
    model, optimizer, batch_of = parts(size)
    loop = Loop(None, budget_s=1.0)
    device = torch.device("cpu")
    trainer = Trainer(model, optimizer, RATE, batch_of, device=device, timeline=loop.timeline)
    ticks = iter(loop)

    def run(steps: int) -> None:
        for _ in range(steps):
            next(ticks)
            trainer.step()

    return run


def spread(ratios: list[float]) -> str:
    """Median and its 95 % interval, in percent above one."""
    ordered = sorted(ratios)
    n = len(ordered)
    # The k-th smallest and k-th largest enclose the median unless under k coins of n fall heads.
    k = 0
    while sum(math.comb(n, i) for i in range(k + 1)) / 2**n <= 0.025:
        k += 1
    low, high = ordered[max(k - 1, 0)], ordered[min(n - k, n - 1)]
    values = (statistics.median(ordered), low, high)
    return "{:+.2f} %  [{:+.2f}, {:+.2f}]".format(*(100 * (v - 1) for v in values))


def compare(size: str, rounds: int, steps: int) -> None:
    """Print what the engine adds at one size of model."""
    runs = {"plain": plain(size), "plain again": plain(size), "engine": engine(size)}
    for run in runs.values():
        run(steps)  # warm up
    spent: dict[str, list[float]] = {name: [] for name in runs}
    order = list(runs)
    for _ in range(rounds):
        random.shuffle(order)
        for name in order:
            start = time.perf_counter()
            runs[name](steps)
            spent[name].append((time.perf_counter() - start) / steps)
    base = spent["plain"]
    print(f"{size}: a plain step takes {1e3 * statistics.median(base):.3f} ms (median of {rounds})")
    for name in ("engine", "plain again"):
        ratios = [value / plain for value, plain in zip(spent[name], base, strict=True)]
        added_us = 1e6 * statistics.median(v - p for v, p in zip(spent[name], base, strict=True))
        print(f"  {name:12} {spread(ratios)}   {added_us:+.1f} us a step")


def main() -> None:
    """Compare at two sizes."""
    parser = argparse.ArgumentParser(description=__doc__.partition("\n")[0])
    parser.add_argument("--rounds", type=int, default=41, help="ratios to take at each size")
    rounds = max(parser.parse_args().rounds, 6)
    torch.set_num_threads(1)
    print(
        f"torch {torch.__version__}, one thread; median and its 95 % interval over {rounds} rounds"
    )
    compare("small", rounds, steps=40)
    compare("scaffold", rounds, steps=4)


if __name__ == "__main__":
    main()
