"""The options of this project, with their defaults in `[tool.guide.options]`."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal

from guide.machine import memory_bytes
from guide.units import size
from guide_deep_learning.training.loop.footprint import state_bytes, step_bytes
from guide_deep_learning.training.loop.settings import Settings, within

LARGE = 10**9
BOUNDS: dict[str, tuple[float, float]] = dict.fromkeys(
    ("batch", "context", "width", "heads"), (1, LARGE)
)
BOUNDS |= {"layers": (1, 1000), "dropout": (0, 0.99)}
BOUNDS |= {"tokens": (1, LARGE), "temperature": (0, 100), "top_k": (0, 256)}


@dataclass(frozen=True)
class Options(Settings):
    """What `guide run --NAME VALUE` can change: these, and those of any training (`Settings`)."""

    do: Literal["train", "write"] = "train"
    corpus: str = "stdlib"
    batch: int = 12
    context: int = 64
    width: int = 128
    layers: int = 2
    heads: int = 4
    dropout: float = 0.0
    lr: float = 3e-3
    prompt: str = ""
    tokens: int = 400
    temperature: float = 0.8
    top_k: int = 0
    int8: bool = False

    def __post_init__(self) -> None:
        # All of it here: torch takes seconds to load, and some of these would hang the machine.
        Settings.__post_init__(self)
        within(self, BOUNDS)
        if not 0 < self.lr < float("inf"):
            raise ValueError("lr must be above 0")
        if not self.corpus.strip():
            raise ValueError("corpus names no text: type --set corpus=stdlib, or a file or folder")
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
