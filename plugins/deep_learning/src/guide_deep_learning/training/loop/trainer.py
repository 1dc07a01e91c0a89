"""One training step as the phases of a tick, with the guard behind it.

The trainer owns the order of things and nothing else: the model, the optimizer, the schedule and
the batches are handed in. It knows one integer, the number of updates done; with the weights, the
optimizer's moments and the random states that is all a restart needs.

What runs once a step is written out here rather than hidden behind calls: a step of a small model
takes less than a millisecond, and each thing done beside it costs a few microseconds, for its code
and data have left the caches meanwhile.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Iterable
from typing import Any

import torch
from numpy.typing import NDArray
from torch import Tensor, nn

from guide.errors import GuideError
from guide.timing import Timeline
from guide_deep_learning.training.checkpointing import randomness
from guide_deep_learning.training.loop import memory
from guide_deep_learning.training.loop.guard import NotFinite, StepLoss, late_loss
from guide_deep_learning.training.loop.precision import Precision
from guide_deep_learning.training.models.losses import next_byte_loss
from guide_deep_learning.training.models.model import evaluating
from guide_deep_learning.training.processes.distributed import synced

Batch = NDArray[Any] | tuple[NDArray[Any], ...]
Phase = Callable[[], object]

PHASES = ("data", "forward", "backward", "optimizer", "loss")
_F32 = Precision()


class Trainer:
    """Drives a model over batches.

    Args:
        model: what is trained; already on `device`.
        optimizer: over that model's parameters. A group may have a "scale": its learning rate is
            that of the schedule times this.
        schedule: the learning rate of an update, by its number.
        batch_of: the batch by its number: an array, or a tuple of them, its rows along axis 0.
        device: where to compute.
        timeline: where the phases of a step go.
        describe: says in words which data a batch had, for the guard's message.
        loss_of: `loss_of(forward, *tensors)` is a scalar: the loss of a batch.
        accumulate: batches whose gradients make one update; update n takes those from number
            n * accumulate on. Their mean is what it learns from, and the loss it reports.
        clip: the norm to which longer gradients are cut; 0 leaves them as they are.
        precision: what products are computed in.

    Attributes:
        done: updates made; also the number of the next one.
        forward: what a step calls in place of the model: a compiled or a distributed form of it.
        precision: what products are computed in; may be set between steps.
        batch_of: as it was handed in; another source of the same batches may take its place.
        kept: where the last good state lies, for the guard's message.
        judged: steps and values of the evaluations so far: kept with the state, so that the
            curve of a training that went on is whole.
    """

    def __init__(
        self,
        model: nn.Module,
        optimizer: torch.optim.Optimizer,
        schedule: Callable[[int], float],
        batch_of: Callable[[int], Batch],
        *,
        device: torch.device,
        timeline: Timeline,
        describe: Callable[[int], str] = "batch {}".format,
        loss_of: Callable[..., Tensor] = next_byte_loss,
        accumulate: int = 1,
        clip: float = 0.0,
        precision: Precision = _F32,
    ) -> None:
        self.model = model
        self.optimizer = optimizer
        self.forward: Callable[..., Any] = model
        self.done = 0
        self.kept = ""
        self.judged: list[tuple[int, float]] = []
        self._schedule = schedule
        self.batch_of = batch_of
        self._device = device
        self._timeline = timeline
        self._describe = describe
        self._loss_of = loss_of
        self._accumulate = accumulate
        self._clip = clip
        self._parameters = [p for p in model.parameters() if p.requires_grad]
        self._late = late_loss(device)
        self.precision = precision
        self._phases: tuple[Phase, ...] = ()
        self._asking = False

    @property
    def precision(self) -> Precision:
        """What products are computed in."""
        return self._precision

    @precision.setter
    def precision(self, precision: Precision) -> None:
        self._precision = precision
        self._mixed = precision.mixed
        self._scaler = torch.amp.GradScaler(self._device.type) if precision.scaled else None
        on_cpu = self._device.type == "cpu"
        self._usual = on_cpu and self._accumulate == 1 and not self._clip and not precision.mixed

    def step(self) -> StepLoss | None:
        """Make one update.

        Returns:
            The loss of the step before (None at the first): on a GPU this one's is still being
            computed.

        Raises:
            NotFinite: when that loss is NaN or infinite.
            OutOfMemory: with what holds it.
        """
        # Of the thread that steps, which need not be the one that made the trainer.
        if not self._phases or self._asking is not self._timeline.asking:
            self._open()
        begin, data, forward, backward, optimizer, read = self._phases
        step, phase = self.done, "data"
        try:
            begin()
            if self._usual:  # in one body: each call would cost a microsecond
                batch = self.batch_of(step)
                arrays = batch if type(batch) is tuple else (batch,)
                tensors = [torch.from_numpy(array) for array in arrays]
                data()
                phase = "forward"
                loss = self._loss_of(self.forward, *tensors)
                forward()
                phase = "backward"
                loss.backward()  # type: ignore[no-untyped-call]
                backward()
            else:
                phase = "backward"
                loss = self._in_parts(step)
            phase = "optimizer"
            rate = self._schedule(step)
            for group in self.optimizer.param_groups:
                group["lr"] = rate * group.get("scale", 1.0)
            if self._usual:
                self.optimizer.step()
            else:
                self._update()
            # What zero_grad does, which costs ten times as much: torch puts a record around it.
            for parameter in self._parameters:
                parameter.grad = None
            optimizer()
        except (RuntimeError, MemoryError) as error:
            words = memory.explained(error, phase, self.model, self.optimizer)
            if words is None:
                raise
            raise words from error
        self.done = step + 1
        late = self._late.swap(step, loss)
        if late is not None and not math.isfinite(late.value):
            self._stop(late)
        read()
        return late

    def flush(self) -> StepLoss | None:
        """The loss of the newest step, waiting for it; None when it was given out already.

        Raises:
            NotFinite: as `step`.
        """
        late = self._late.take()
        if late is not None and not math.isfinite(late.value):
            self._stop(late)
        return late

    def warm_up(self) -> None:
        """Run forward and backward once and forget the result, random draws included.

        The first pass chooses kernels and grows memory pools; that time is nobody's step.

        Raises:
            OutOfMemory: with what holds it.
        """
        drawn = randomness.states(self._device)
        try:
            loss = self._loss(self._to_device(self.batch_of(self.done * self._accumulate)))
            loss.backward()  # type: ignore[no-untyped-call]
            loss.item()  # waits for a GPU, so that it can be timed
        except (RuntimeError, MemoryError) as error:
            words = memory.explained(error, "backward", self.model, self.optimizer)
            if words is None:
                raise
            raise words from error
        finally:
            for parameter in self._parameters:
                parameter.grad = None
            randomness.restore(drawn, self._device)

    @torch.inference_mode()
    def evaluate(self, held_out: Batch, batch: int = 32) -> float:
        """The mean loss over held-out rows. Waits for the device once, at the end."""
        arrays = held_out if isinstance(held_out, tuple) else (held_out,)
        rows = len(arrays[0])
        total = torch.zeros((), device=self._device)
        with evaluating(self.model):
            for first in range(0, rows, batch):
                part = tuple(a[first : first + batch] for a in arrays)
                loss = self._loss_of(self.model, *self._to_device(part))
                total += loss * len(part[0])
        return total.item() / rows

    def state(self) -> dict[str, Any]:
        """All that `load` needs to go on exactly here: tensors, numbers and text only.

        The tensors are those of the training itself, which the next step changes.

        Raises:
            NotFinite: when a weight is NaN or infinite. A step may end with a sound loss and a
                ruined weight; such a state must never replace a good checkpoint.
        """
        for name, parameter in self.model.named_parameters():
            if not torch.isfinite(parameter).all():
                last = self.done - 1
                raise NotFinite(f"{name} is not finite after step {last}", self._remedy(), last)
        state = {
            "model": self.model.state_dict(),
            "optimizer": self.optimizer.state_dict(),
            "done": self.done,
            "judged": [list(pair) for pair in self.judged],
            "random": randomness.states(self._device),
        }
        if self._scaler is not None:
            state["scaler"] = self._scaler.state_dict()
        return state

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
        if self._scaler is not None and "scaler" in state:
            self._scaler.load_state_dict(state["scaler"])
        self.done = int(state["done"])
        self.judged = [(int(step), float(value)) for step, value in state.get("judged", [])]
        self._late.take()
        # Last: whatever came before may have drawn from it.
        randomness.restore(state["random"], self._device)

    def _open(self) -> None:
        """Make the ends of the phases, of the calling thread; in some ticks they ask more."""
        self._asking = self._timeline.asking
        self._phases = tuple(self._timeline.lap(name) for name in ("", *PHASES))

    def _in_parts(self, step: int) -> Tensor:
        """Forward and backward over all batches of a step; returns their mean loss."""
        _, data, forward, backward, _, _ = self._phases
        parts, scaler = self._accumulate, self._scaler
        total: Tensor | None = None
        for number in range(step * parts, step * parts + parts):
            tensors = self._to_device(self.batch_of(number))
            data()
            loss = self._loss(tensors) / parts
            forward()
            with synced(self.forward, number + 1 == step * parts + parts):
                scaled = loss if scaler is None else scaler.scale(loss)
                scaled.backward()  # type: ignore[no-untyped-call]
            backward()
            total = loss.detach() if total is None else total + loss.detach()
        assert total is not None
        return total

    def _loss(self, tensors: Iterable[Tensor]) -> Tensor:
        if not self._mixed:
            return self._loss_of(self.forward, *tensors)
        with torch.autocast(self._device.type, dtype=self._precision.dtype):
            return self._loss_of(self.forward, *tensors)

    def _update(self) -> None:
        scaler = self._scaler
        if self._clip:
            if scaler is not None:
                scaler.unscale_(self.optimizer)
            nn.utils.clip_grad_norm_(self._parameters, self._clip)
        if scaler is None:
            self.optimizer.step()
        else:
            scaler.step(self.optimizer)
            scaler.update()

    def _to_device(self, batch: Batch) -> list[Tensor]:
        arrays = batch if isinstance(batch, tuple) else (batch,)
        if self._device.type != "cuda":
            return [torch.from_numpy(array) for array in arrays]
        # From page-locked memory the copy needs no wait.
        return [
            torch.from_numpy(array).pin_memory().to(self._device, non_blocking=True)
            for array in arrays
        ]

    def _stop(self, loss: StepLoss) -> None:
        first = loss.step * self._accumulate
        seen = ", ".join(map(self._describe, range(first, first + self._accumulate)))
        raise NotFinite(
            f"the loss is {loss.value} at step {loss.step} ({seen})", self._remedy(), loss.step
        )

    def _remedy(self) -> str:
        back = f"the last good state is {self.kept}: " if self.kept else ""
        return f"{back}lower --set lr=..., and go on from the last checkpoint with --resume"
