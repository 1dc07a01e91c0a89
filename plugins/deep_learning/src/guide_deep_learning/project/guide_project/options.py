"""The options of this project, with their defaults in `[tool.guide.options]`."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Literal

from guide.machine import memory_bytes, usable_threads
from guide.units import size
from guide_deep_learning.training.footprint import state_bytes, step_bytes

LARGE = 10**9
BOUNDS = dict.fromkeys(("steps", "batch", "context", "width", "heads"), (1, LARGE))
BOUNDS |= dict.fromkeys(("eval_every", "checkpoint_every"), (0, LARGE)) | {"layers": (1, 1000)}
BOUNDS |= {"tokens": (1, LARGE), "temperature": (0, 100), "top_k": (0, 256)}


@dataclass(frozen=True)
class Options:
    """What `guide run --set name=value` can change; pyproject.toml says what each means."""

    do: Literal["train", "write"] = "train"
    corpus: str = "stdlib"
    steps: int = 1000
    batch: int = 12
    context: int = 64
    width: int = 128
    layers: int = 2
    heads: int = 4
    lr: float = 3e-3
    device: str = "auto"
    threads: int = 0
    eval_every: int = 50
    checkpoint_every: int = 100
    resume: bool = False
    resume_from: str = ""
    prompt: str = ""
    tokens: int = 400
    temperature: float = 0.8
    top_k: int = 0
    int8: bool = False

    def __post_init__(self) -> None:
        # All of it here: torch takes seconds to load, and some of these would hang the machine.
        for name, (least, most) in BOUNDS.items():
            if not least <= getattr(self, name) <= most:
                raise ValueError(f"{name} must be {least} to {most}: type --set {name}=...")
        cpus = usable_threads()
        if not 0 <= self.threads <= cpus:
            raise ValueError(f"threads must be 0 to {cpus}, your CPUs: type --set threads={cpus}")
        if not 0 < self.lr < float("inf"):
            raise ValueError("lr must be above 0")
        if not self.corpus.strip():
            raise ValueError("corpus names no text: type --set corpus=stdlib, or a file or folder")
        if not re.fullmatch(r"auto|cpu|cuda(:\d+)?", self.device):
            raise ValueError(f"device is cpu, cuda or auto, not {self.device!r}")
        if self.width % self.heads:
            raise ValueError(f"width {self.width} cannot be shared among {self.heads} heads")
        self._fits_in_memory()

    def _fits_in_memory(self) -> None:
        shape = {"context": self.context, "width": self.width, "layers": self.layers}
        needed = state_bytes(**shape)
        if not self.device.startswith("cuda"):  # a GPU has memory of its own
            needed += step_bytes(batch=self.batch, **shape)
        there = memory_bytes()
        if there and needed > there:
            raise ValueError(
                f"this needs at least {size(needed)} of memory, the machine has {size(there)}: "
                "lower batch, context, width or layers"
            )
