"""A training so small that a step takes a millisecond or two; also a program that is killed.

    python tiny.py FOLDER STEPS     train to the end, going on from whatever is there
    python tiny.py                  read such lines, and be that program for each, in a fork

The second way saves the start: torch is imported once. What is killed is a process of its own.
"""

from __future__ import annotations

import hashlib
import os
import random
import sys
from collections.abc import Callable
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import replace
from pathlib import Path

import numpy as np
import torch
from numpy.typing import NDArray
from torch import Tensor

from guide.timing import Timeline
from guide_deep_learning.training.checkpointing import randomness
from guide_deep_learning.training.checkpointing.identity import Identity
from guide_deep_learning.training.checkpointing.resume import Keeper
from guide_deep_learning.training.data.batches import spread_windows, windows
from guide_deep_learning.training.loop.guard import StepLoss
from guide_deep_learning.training.loop.trainer import Trainer
from guide_deep_learning.training.models.model import GPT, GPTConfig
from guide_deep_learning.training.optimizers.optimizer import adamw
from guide_deep_learning.training.optimizers.schedule import Schedule

CONFIG = GPTConfig(vocabulary=128, context=16, width=32, layers=2, heads=2)
TEXT = np.frombuffer(b"the quick brown fox jumps over the lazy dog\n" * 100, dtype=np.uint8)
HELD_OUT = spread_windows(TEXT, 8, 16)
IDENTITY = Identity(same={"seed": 0, "width": 32}, exact={"threads": 1})
EVERY = 3  # steps between two checkpoints
BATCH = 4

Batches = Callable[[int], NDArray[np.uint8]]


def make_trainer(
    steps: int = 60,
    timeline: Timeline | None = None,
    *,
    dropout: float = 0.0,
    batch_of: Batches = lambda step: windows(TEXT, 0, step, BATCH, 16),
) -> Trainer:
    randomness.seed(0)
    model = (Noisy if dropout else GPT)(replace(CONFIG, dropout=dropout))
    return Trainer(
        model,
        adamw(model, 1e-2),
        Schedule(1e-2, steps, warmup=3),
        batch_of,
        device=torch.device("cpu"),
        timeline=timeline or Timeline(),
    )


class Noisy(GPT):
    """Draws from every random state there is: torch's in dropout, numpy's and Python's here."""

    def forward(self, inputs: Tensor, past: object = None) -> Tensor:
        scores: Tensor = super().forward(inputs)
        noise = 0.1 * (random.random() + np.random.rand())
        return scores * (1 + noise) if self.training else scores


def shuffled(step: int) -> NDArray[np.uint8]:
    """The batch of a step: each epoch has all windows once, in an order of its own."""
    starts = np.arange(0, len(TEXT) - 17, 16)
    per_epoch = len(starts) // BATCH
    epoch, place = divmod(step, per_epoch)
    key = np.array([7, epoch], dtype=np.uint64)
    order = np.random.Generator(np.random.Philox(key=key)).permutation(starts)
    chosen = order[place * BATCH :][:BATCH]
    return TEXT[chosen[:, None] + np.arange(17)]


class Ahead:
    """The batches of the next steps, made by two threads while a step runs."""

    def __init__(self, batch_of: Batches) -> None:
        self._batch_of = batch_of
        self._pool = ThreadPoolExecutor(2)
        self._coming: dict[int, Future[NDArray[np.uint8]]] = {}

    def __call__(self, step: int) -> NDArray[np.uint8]:
        for n in range(step, step + 4):
            if n not in self._coming:
                self._coming[n] = self._pool.submit(self._batch_of, n)
        return self._coming.pop(step).result()


def weights_sha(model: torch.nn.Module) -> str:
    digest = hashlib.sha256()
    for tensor in model.state_dict().values():
        digest.update(tensor.numpy().tobytes())
    return digest.hexdigest()


def say(*words: str) -> None:
    sys.stdout.write(" ".join(words) + "\n")
    sys.stdout.flush()


def main(root: Path, steps: int) -> None:
    """Train to the end with a checkpoint every 3 steps, going on from whatever is there."""
    torch.set_num_threads(1)
    trainer = make_trainer(steps, dropout=0.1, batch_of=Ahead(shuffled))
    keeper = Keeper(root, trainer, IDENTITY)
    say(*keeper.resume())
    trainer.warm_up()

    def log(loss: StepLoss | None) -> None:
        if loss is not None:
            keeper.losses.add(*loss)
            say("loss", str(loss.step), loss.value.hex())

    while trainer.done < steps:
        log(trainer.step())
        if trainer.done % EVERY == 0:
            log(keeper.save())
    keeper.close()
    for loss in keeper.losses.history:
        say("history", str(loss.step), loss.value.hex())
    say("remark", keeper.losses.remark or "none")
    say("weights", weights_sha(trainer.model))


def serve() -> None:
    """Be `main` for each line on standard input, in a child; say which, and when it has ended."""
    torch.set_num_threads(1)
    make_trainer()  # the first optimizer imports the half of torch that `import torch` left out
    for line in sys.stdin:
        root, steps = line.rstrip("\n").rsplit(" ", 1)
        child = os.fork()
        if child == 0:
            main(Path(root), int(steps))
            os._exit(0)
        say("pid", str(child))
        os.waitpid(child, 0)
        say("ended")


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2])) if sys.argv[1:] else serve()
