"""The options of this project, with their defaults in `[tool.guide.options]`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from guide_deep_learning.training.loop.settings import Settings

Name = Literal["baseline", "schedule", "modern", "muon", "rates", "shift", "tables"]


@dataclass(frozen=True)
class Options(Settings):
    """What `guide run --NAME VALUE` can change; those of any training are in `Settings`.

    Attributes:
        rung: which recipe.
        target: the loss on held-out text, in nats per byte, at which it is done.
        corpus: "stdlib", or a file or folder of text.
    """

    rung: Name = "shift"
    target: float = 1.90
    corpus: str = "stdlib"
    steps: int = 2000
    device: str = "cpu"
    threads: int = 1
    precision: Literal["auto", "f32", "bf16", "f16"] = "f32"
    eval_every: int = 0
    checkpoint_every: int = 0

    def __post_init__(self) -> None:
        Settings.__post_init__(self)
        if not 0 < self.target < float("inf"):
            raise ValueError("target must be above 0: type --set target=1.9")
        if not self.corpus.strip():
            raise ValueError("corpus names no text: type --set corpus=stdlib, or a file or folder")
