"""What can be set of any training, whatever it learns; checked before torch is loaded."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any, Literal

from guide.machine import usable_threads

_LARGE = 10**9
_BOUNDS = {
    "steps": (1, _LARGE),
    "accumulate": (1, 10**6),
    "clip": (0, _LARGE),
    "workers": (0, 256),
    "eval_every": (0, _LARGE),
    "checkpoint_every": (0, _LARGE),
}


@dataclass(frozen=True)
class Settings:
    """Inherit from it, frozen, and add what is your own. Raises ValueError for what cannot be.

    Attributes:
        steps: the whole schedule; the run ends there.
        accumulate: batches whose gradients make one step.
        clip: the norm to which longer gradients are cut; 0 never.
        device: "auto", "cpu", "cuda" or "cuda:N".
        threads: 0 tries some and takes the fastest.
        precision: of matrix products; "auto" takes fewer bits where that is faster.
        compile: whether to compile the step; a note says when it pays back.
        workers: threads that compute batches ahead; 0 computes each when it is needed.
        sharded: with several processes, whether each holds a part of the model (FSDP) and not all
            of it (DDP).
        short_gradients: with several processes, whether gradients are sent in 16 bits: half of the
            bytes, and less exact.
        eval_every: steps; 0 never, except at the end.
        checkpoint_every: steps; 0 only at the end, and when it is interrupted.
        resume: go on from the newest checkpoint that fits.
        resume_from: go on in this folder of checkpoints/.
    """

    steps: int = 1000
    accumulate: int = 1
    clip: float = 0.0
    device: str = "auto"
    threads: int = 0
    precision: Literal["auto", "f32", "bf16", "f16"] = "auto"
    compile: bool = False
    workers: int = 0
    sharded: bool = False
    short_gradients: bool = False
    eval_every: int = 50
    checkpoint_every: int = 100
    resume: bool = False
    resume_from: str = ""

    def __post_init__(self) -> None:
        within(self, _BOUNDS)
        cpus = usable_threads()
        if not 0 <= self.threads <= cpus:
            raise ValueError(f"threads must be 0 to {cpus}, your CPUs: type --set threads={cpus}")
        if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", self.device):
            raise ValueError(f"device is cpu, cuda or auto, not {self.device!r}")


def within(settings: object, bounds: Mapping[str, tuple[float, float]]) -> None:
    """Raise ValueError for the first attribute of `settings` that is not within its bounds."""
    for name, (least, most) in bounds.items():
        value: Any = getattr(settings, name)
        if not least <= value <= most:
            raise ValueError(f"{name} must be {least} to {most}: type --set {name}=...")
