"""One training step as four spans, with the guard behind it.

The trainer owns the order of things and nothing else: the model, the optimizer, the schedule and
the batches are handed in. It knows one integer, the number of updates done; with the weights and
the optimizer's moments that is all a restart needs.
"""

from __future__ import annotations

import math
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Any

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor, nn

from guide.errors import GuideError
from guide.timing import Timeline
from guide_deep_learning.training import randomness
from guide_deep_learning.training.guard import LateLoss, NotFinite, StepLoss

_LOWER = "lower --set lr=..., and go on from the last checkpoint with --set resume=true"


class Trainer:
    """Drives a model over batches.

    Args:
        model: maps (batch, time) of int64 to (batch, time, vocabulary); already on `device`.
        optimizer: over that model's parameters.
        schedule: the learning rate of an update, by its number.
        batch_of: the batch of an update, by its number: (batch, time + 1) of uint8.
        device: where to compute.
        timeline: where the spans go.
        describe: says in words which data a step had, for the guard's message.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        schedule: Callable[[int], float],
        batch_of: Callable[[int], NDArray[np.uint8]],
        *,
        device: torch.device,
        timeline: Timeline,
        describe: Callable[[int], str] = "batch of step {}".format,
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.done = 0  # updates made; also the number of the next step and of its batch
        self._schedule = schedule
        self._batch_of = batch_of
        self._device = device
        self._span: Callable[[str], AbstractContextManager[object]] = timeline.span
        self._describe = describe
        self._late = LateLoss(device)

    def step(self) -> StepLoss | None:
        """Make one update.

        Returns:
            The loss of the step before (None at the first): on a GPU this one's is still being
            computed.

        Raises:
            NotFinite: when that loss is NaN or infinite.
        """
        step = self.done
        span = self._span
        with span("data"):
            inputs, targets = self._to_device(self._batch_of(step))
        with span("forward"):
            loss = self._loss(inputs, targets)
        with span("backward"):
            loss.backward()  # type: ignore[no-untyped-call]
        with span("optimizer"):
            rate = self._schedule(step)
            for group in self.optimizer.param_groups:
                group["lr"] = rate
            self.optimizer.step()
            self.optimizer.zero_grad(set_to_none=True)
        self.done = step + 1
        with span("loss"):
            return self._checked(self._late.swap(step, loss))

    def flush(self) -> StepLoss | None:
        """The loss of the newest step, waiting for it; None when it was given out already.

        Raises:
            NotFinite: as `step`.
        """
        return self._checked(self._late.take())

    def warm_up(self) -> None:
        """Run forward and backward once and forget the result.

        The first pass chooses kernels and grows memory pools; that time is nobody's step. What
        dropout drew for it is given back: a restart that warms up must not draw once more.
        """
        random = randomness.states(self._device)
        loss = self._loss(*self._to_device(self._batch_of(self.done)))
        loss.backward()  # type: ignore[no-untyped-call]
        self.optimizer.zero_grad(set_to_none=True)
        randomness.restore(random, self._device)

    @torch.inference_mode()
    def evaluate(self, held_out: NDArray[np.uint8], batch: int = 32) -> float:
        """The mean loss over windows, (count, time + 1) of uint8, in nats per byte.

        Waits for the device once, at the end.
        """
        self.model.eval()
        total = torch.zeros((), device=self._device)
        for first in range(0, len(held_out), batch):
            part = held_out[first : first + batch]
            total += self._loss(*self._to_device(part)) * len(part)
        self.model.train()
        return total.item() / len(held_out)

    def state(self) -> dict[str, Any]:
        """All that `load` needs to go on exactly here: tensors, numbers and text only.

        Raises:
            NotFinite: when a weight is NaN or infinite. A step may end with a sound loss and a
                ruined weight; such a state must never replace a good checkpoint.
        """
        for name, parameter in self.model.named_parameters():
            if not torch.isfinite(parameter).all():
                last = self.done - 1
                raise NotFinite(f"{name} is not finite after step {last}", _LOWER, last)
        return {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "done": self.done,
            "random": randomness.states(self._device),
        }

    def load(self, state: dict[str, Any]) -> None:
        """Go on from what `state` returned, here or in another process.

        Raises:
            GuideError: when it does not fit this model or this optimizer.
        """
        try:
            self.model.load_state_dict(state["model"])
            self.optimizer.load_state_dict(state["optimizer"])
        except (RuntimeError, ValueError) as error:
            first = str(error).strip().splitlines()[0]
            raise GuideError(
                f"the checkpoint does not fit this model: {first}",
                "undo the change to the model, or start anew with --set resume=false",
            ) from error
        self.done = int(state["done"])
        self._late.take()
        # Last: whatever came before may have drawn from it.
        randomness.restore(state["random"], self._device)

    def _to_device(self, windows: NDArray[np.uint8]) -> tuple[Tensor, Tensor]:
        data = torch.from_numpy(windows)
        if self._device.type == "cuda":
            # From page-locked memory the copy needs no wait; as bytes it is an eighth of int64.
            data = data.pin_memory().to(self._device, non_blocking=True)
        numbers = data.long()
        return numbers[:, :-1], numbers[:, 1:]

    def _loss(self, inputs: Tensor, targets: Tensor) -> Tensor:
        scores: Tensor = self.model(inputs)
        return F.cross_entropy(scores.flatten(0, 1), targets.flatten())

    def _checked(self, loss: StepLoss | None) -> StepLoss | None:
        if loss is not None and not math.isfinite(loss.value):
            raise NotFinite(
                f"the loss is {loss.value} at step {loss.step} ({self._describe(loss.step)})",
                _LOWER,
                loss.step,
            )
        return loss
