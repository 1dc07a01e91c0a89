"""The options of this project, with their defaults in `[tool.guide.options]`."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True)
class Options:
    """What `guide run --set name=value` can change; pyproject.toml says what each means."""

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

    def __post_init__(self) -> None:
        for name in ("steps", "batch", "context"):
            if getattr(self, name) < 1:
                raise ValueError(f"{name} must be at least 1")
        for name in ("threads", "eval_every", "checkpoint_every"):
            if getattr(self, name) < 0:
                raise ValueError(f"{name} must be 0 or more")
        if not 0 < self.lr < float("inf"):
            raise ValueError("lr must be above 0")
