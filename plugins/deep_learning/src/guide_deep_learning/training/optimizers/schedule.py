"""The learning rate as a pure function of the step: nothing to save, nothing to restore."""

from __future__ import annotations

import math
from dataclasses import dataclass
from typing import Literal

from guide.errors import GuideError


@dataclass(frozen=True, slots=True)
class Schedule:
    """Warm up linearly to `peak`, then decay to `floor` times `peak` at the last step.

    The warm-up is for AdamW's sake: its second moments are guesses for the first few dozen
    steps, and a full step on a guess is where early spikes of the loss come from.

    "trapezoid" stays at the peak and falls linearly over the last `cooldown` of the steps (Hägele
    et al., 2024): most of the way is made at full rate, and the noise of that rate goes at the end.

    Raises:
        GuideError: when `cooldown` is no share above 0 and up to 1.
    """

    peak: float
    steps: int
    warmup: int = 0
    decay: Literal["cosine", "linear", "trapezoid", "none"] = "cosine"
    floor: float = 0.1
    cooldown: float = 0.5

    def __post_init__(self) -> None:
        if not 0 < self.cooldown <= 1:
            raise GuideError(f"cooldown must be above 0 and at most 1, not {self.cooldown}")

    def __call__(self, step: int) -> float:
        """The rate for update number `step`, counted from 0; that of the last one from then on."""
        if step < self.warmup:
            return self.peak * (step + 1) / (self.warmup + 1)
        if self.decay == "none":
            return self.peak
        last = max(self.steps - 1, self.warmup + 1)
        first = self.warmup
        if self.decay == "trapezoid":
            first = min(max(first, round(last * (1.0 - self.cooldown))), last - 1)
        part = min(max((step - first) / (last - first), 0.0), 1.0)
        left = 0.5 * (1.0 + math.cos(math.pi * part)) if self.decay == "cosine" else 1.0 - part
        return self.peak * (self.floor + (1.0 - self.floor) * left)
