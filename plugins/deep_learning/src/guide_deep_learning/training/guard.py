"""The loss, read one step late, and the guard that stops at the first one that is no number.

On a GPU the loss of this step is not there yet when the line after it runs: `loss.item()` would
stop the host until the device has caught up, and leave the device idle while the host prepares
the next step. One step later it is there, or the device still has a whole step to work on while
the host waits. Training on after a NaN wastes hours; finding it one step late wastes one step.
"""

from __future__ import annotations

from typing import NamedTuple

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


class LateLoss:
    """Takes the loss of each step and gives back that of the step before.

    Args:
        device: where the losses live.
    """

    def __init__(self, device: torch.device) -> None:
        self._cuda = device.type == "cuda"
        self._step: int | None = None
        self._loss: Tensor | None = None
        if self._cuda:
            # Two page-locked slots: the copy of one step may run while the other is read.
            self._slots = torch.empty(2, dtype=torch.float32, pin_memory=True)
            self._copied = [torch.cuda.Event() for _ in range(2)]  # type: ignore[no-untyped-call]

    def swap(self, step: int, loss: Tensor) -> StepLoss | None:
        """Take the loss of `step`; return that of the step taken before it, None at first."""
        if self._cuda:
            slot = step % 2
            self._slots[slot].copy_(loss.detach(), non_blocking=True)
            self._copied[slot].record(torch.cuda.current_stream(loss.device))
        previous_step, previous_loss = self._step, self._loss
        self._step, self._loss = step, loss.detach()
        return self._read(previous_step, previous_loss)

    def take(self) -> StepLoss | None:
        """The loss taken last, without waiting for another step; None when there is none left."""
        step, loss = self._step, self._loss
        self._step = self._loss = None
        return self._read(step, loss)

    def _read(self, step: int | None, loss: Tensor | None) -> StepLoss | None:
        if step is None or loss is None:
            return None
        if self._cuda:
            self._copied[step % 2].synchronize()  # that step's copy, not the device
            return StepLoss(step, float(self._slots[step % 2]))
        return StepLoss(step, loss.item())
