"""The loss, read one step late, and the guard that stops at the first one that is no number.

On a GPU the loss of this step is not there yet when the line after it runs: `loss.item()` would
stop the host until the device has caught up, and leave the device idle while the host prepares
the next step. One step later it is there, or the device still has a whole step to work on while
the host waits. Training on after a NaN wastes hours; finding it one step late wastes one step.
"""

from __future__ import annotations

from typing import NamedTuple, Protocol

import torch
from torch import Tensor

from guide.errors import GuideError


class StepLoss(NamedTuple):
    """The loss of one step, in nats per byte."""

    step: int
    value: float


class NotFinite(GuideError):
    """The loss or a weight is NaN or infinite. `step` says since when."""

    def __init__(self, message: str, remedy: str, step: int) -> None:
        super().__init__(message, remedy)
        self.step = step


class LateLoss(Protocol):
    """Takes the loss of each step and gives back that of the step before."""

    def swap(self, step: int, loss: Tensor) -> StepLoss | None:
        """Take the loss of `step`; return that of the step taken before it, None at first."""
        ...

    def take(self) -> StepLoss | None:
        """The loss taken last, without waiting for another step; None when there is none left."""
        ...


def late_loss(device: torch.device) -> LateLoss:
    """What reads the losses of a training on `device`."""
    return CopiedLoss(device) if device.type == "cuda" else HeldLoss()


class HeldLoss:
    """On the CPU a loss is there as soon as its step is: it is read at once, and given out late."""

    def __init__(self) -> None:
        self._held: StepLoss | None = None

    def swap(self, step: int, loss: Tensor) -> StepLoss | None:
        """As `LateLoss`."""
        late = self._held
        self._held = StepLoss(step, loss.item())
        return late

    def take(self) -> StepLoss | None:
        """As `LateLoss`."""
        late, self._held = self._held, None
        return late


class CopiedLoss:
    """On a GPU a loss is copied when it is there, and read a step later: nobody waits."""

    def __init__(self, device: torch.device) -> None:
        # Two page-locked slots: the copy of one step may run while the other is read.
        self._slots = torch.empty(2, dtype=torch.float32, pin_memory=True)
        self._copied = [torch.cuda.Event() for _ in range(2)]  # type: ignore[no-untyped-call]
        self._device = device
        self._step: int | None = None

    def swap(self, step: int, loss: Tensor) -> StepLoss | None:
        """As `LateLoss`."""
        slot = step % 2
        self._slots[slot].copy_(loss.detach(), non_blocking=True)
        self._copied[slot].record(torch.cuda.current_stream(self._device))
        late = self.take()
        self._step = step
        return late

    def take(self) -> StepLoss | None:
        """As `LateLoss`."""
        step, self._step = self._step, None
        if step is None:
            return None
        self._copied[step % 2].synchronize()  # that step's copy, not the device
        return StepLoss(step, float(self._slots[step % 2]))
