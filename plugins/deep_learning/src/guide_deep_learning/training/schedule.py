"""The learning rate as a pure function of the step: nothing to save, nothing to restore."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal


@dataclass(frozen=True, slots=True)
class Schedule:
    """Warm up linearly to `peak`, then decay to `floor` times `peak` at the last step.

    The warm-up is for AdamW's sake: its second moments are guesses for the first few dozen
    steps, and a full step on a guess is where early spikes of the loss come from.
    """

    peak: float
    steps: int
    warmup: int = 0
    decay: Literal["cosine", "linear", "none"] = "cosine"
    floor: float = 0.1

    def __call__(self, step: int) -> float:
        """The rate for update number `step`, counted from 0; that of the last one from then on."""
        if step < self.warmup:
            return self.peak * (step + 1) / (self.warmup + 1)
        if self.decay == "none":
            return self.peak
        last = max(self.steps - 1, self.warmup + 1)
        part = min((step - self.warmup) / (last - self.warmup), 1.0)
        left = 1.0 - part if self.decay == "linear" else 0.5 * (1.0 + math.cos(math.pi * part))
        return self.peak * (self.floor + (1.0 - self.floor) * left)
