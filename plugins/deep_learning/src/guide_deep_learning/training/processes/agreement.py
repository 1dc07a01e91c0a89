"""What all ranks have to know of a step: the mean loss, and whether somebody wants to end.

Each rank has the loss of its own rows, and each may be asked to stop: by Ctrl-C, by a budget, by
the end of its time. If one stopped by itself the others would wait for it for ever. So once a step
all of them add up two numbers, and nobody waits for the sum: it is sent off at the end of one
step and read at the end of the next, when it has long arrived.
"""

from __future__ import annotations

from typing import Any

import torch
import torch.distributed as dist
from torch import Tensor

from guide.loop import Loop
from guide_deep_learning.training.loop.guard import StepLoss
from guide_deep_learning.training.processes.distributed import World


class Agreement:
    """Tells the ranks of each other, once a step, on the loop's thread.

    From here on `run.stop` of any rank ends the run on all of them, with the same step.

    Args:
        world: the ranks.
        loop: the loop to stop.
    """

    def __init__(self, world: World, loop: Loop) -> None:
        self._world, self._loop = world, loop
        self._sent: tuple[Any, Tensor, int | None] | None = None
        loop.together = not world.alone

    def exchange(self, loss: StepLoss | None) -> list[StepLoss]:
        """Give this rank's loss, and get the mean of that given before; once a step, on all ranks.

        Args:
            loss: of this rank's rows, as `Trainer.step` returned it: of the same step everywhere.

        Returns:
            None or one loss, over the rows of all ranks.
        """
        if self._world.alone:
            return [] if loss is None else [loss]
        arrived = self._read()
        wanted = float(bool(self._loop.wanted))
        value = 0.0 if loss is None else loss.value
        numbers = torch.tensor([wanted, value], dtype=torch.float64)
        work = dist.all_reduce(numbers, group=self._world.control, async_op=True)
        self._sent = work, numbers, None if loss is None else loss.step
        return arrived

    def settle(self, loss: StepLoss | None) -> list[StepLoss]:
        """As `exchange`, and wait for what was given just now: before a save, an evaluation."""
        return [*self.exchange(loss), *self._read()]

    def _read(self) -> list[StepLoss]:
        if self._sent is None:
            return []
        (work, numbers, step), self._sent = self._sent, None
        work.wait()
        stops, total = numbers.tolist()
        if stops and not self._loop.ended:  # the same on all ranks, for the sum is
            reasons = self._world.gather(self._loop.wanted)
            self._loop.stop(next(filter(None, reasons)), agreed=True)
        return [] if step is None else [StepLoss(step, total / self._world.size)]
