"""A training so small that a step takes a millisecond or two; also a program that is killed."""

from __future__ import annotations

import hashlib
import sys
from pathlib import Path

import numpy as np
import torch

from guide.timing import Timeline
from guide_deep_learning.training.batches import spread_windows, windows
from guide_deep_learning.training.identity import Identity
from guide_deep_learning.training.model import GPT, GPTConfig
from guide_deep_learning.training.optimizer import adamw
from guide_deep_learning.training.resume import Keeper
from guide_deep_learning.training.schedule import Schedule
from guide_deep_learning.training.trainer import Trainer

CONFIG = GPTConfig(vocabulary=128, context=16, width=32, layers=2, heads=2)
TEXT = np.frombuffer(b"the quick brown fox jumps over the lazy dog\n" * 100, dtype=np.uint8)
HELD_OUT = spread_windows(TEXT, 8, 16)
IDENTITY = Identity(same={"seed": 0, "width": 32}, exact={"threads": 1})


def make_trainer(steps: int = 60, timeline: Timeline | None = None) -> Trainer:
    torch.manual_seed(0)
    model = GPT(CONFIG)
    return Trainer(
        model,
        adamw(model, 1e-2),
        Schedule(1e-2, steps, warmup=3),
        lambda step: windows(TEXT, 0, step, 4, 16),
        device=torch.device("cpu"),
        timeline=timeline or Timeline(),
    )


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
    trainer = make_trainer(steps)
    keeper = Keeper(root, trainer, IDENTITY)
    say(*keeper.resume())
    while trainer.done < steps:
        late = [trainer.step()]
        if trainer.done % 3 == 0:
            late.append(keeper.save())
        for loss in late:
            if loss is not None:
                say("loss", str(loss.step), loss.value.hex())
    say("weights", weights_sha(trainer.model))


if __name__ == "__main__":
    main(Path(sys.argv[1]), int(sys.argv[2]))
