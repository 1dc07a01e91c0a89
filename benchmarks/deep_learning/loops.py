"""One small training, driven by the loop everybody writes and by ours.

Every loop fetches its batches from a `Source`. It stamps each fetch, which is all that is measured
of a loop, and after so many it stops in the middle of that fetch: the loop stands still where it
is, on the same thread, until its turn comes again. So loops that cannot be left, since they belong
to a framework, take turns of a few steps like all others.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from typing import NamedTuple

import numpy as np
import torch
import torch.nn.functional as F  # noqa: N812
from numpy.typing import NDArray
from torch import Tensor, nn

from benchmarks.rows import with_peers
from guide.clock import SystemClock
from guide.energy import open_energy_meters
from guide.loop import Loop
from guide.meter import Meter, Usage
from guide.process import ProcessMeter
from guide.resources import Sampler
from guide_deep_learning.training.loop.trainer import Trainer
from guide_deep_learning.training.optimizers.schedule import Schedule

WIDTH, CLASSES, BATCH, BATCHES = 64, 10, 64, 256
RATE = Schedule(1e-3, 10_000_000)
now_ns = SystemClock().now_ns

Arrays = tuple[NDArray[np.float32], NDArray[np.int64]]


class Turn(NamedTuple):
    """Seconds of a step in one turn of a loop."""

    typical: float  # the median: a neighbour on the machine hardly moves it
    mean: float  # with all that a loop does only now and then


class Source:
    """Batches without end, of which a loop gets a few at a turn.

    Args:
        loop: takes this source and trains until it is stopped.
    """

    def __init__(self, loop: Callable[[Source], None]) -> None:
        with_peers()
        from greenlet import getcurrent, greenlet

        self.active = False  # whether it is this loop's turn
        self._number = 0
        self._stamps: list[int] = []
        self._last = 0
        self._main = getcurrent()
        self._loop = greenlet(lambda: loop(self))
        random = np.random.default_rng(0)
        self._inputs = random.standard_normal((BATCHES, BATCH, WIDTH), dtype=np.float32)
        self._labels = random.integers(0, CLASSES, (BATCHES, BATCH))

    def turn(self, steps: int) -> Turn:
        """Let the loop make so many steps."""
        self._last = steps
        self._stamps.clear()
        self.active = True
        self._loop.switch()
        self.active = False
        if self._loop.dead:
            raise RuntimeError("the loop came to an end")
        took = np.diff(self._stamps) / 1e9
        return Turn(float(np.median(took)), float(np.mean(took)))

    def arrays(self, _: int = 0) -> Arrays:
        """The next batch: what a loop's `batch_of` is."""
        stamps = self._stamps
        stamps.append(now_ns())
        if len(stamps) > self._last:
            self._main.switch()
            stamps.append(now_ns())
        i = self._number % BATCHES
        self._number += 1
        return self._inputs[i], self._labels[i]

    def __iter__(self) -> Iterator[tuple[Tensor, Tensor]]:
        return self

    def __next__(self) -> tuple[Tensor, Tensor]:
        inputs, labels = self.arrays()
        return torch.from_numpy(inputs), torch.from_numpy(labels)


def network() -> nn.Sequential:
    """Three layers, the same weights every time: a step so short that overhead shows."""
    torch.manual_seed(0)
    layers: list[nn.Module] = []
    for _ in range(2):
        layers += [nn.Linear(WIDTH, WIDTH), nn.ReLU()]
    return nn.Sequential(*layers, nn.Linear(WIDTH, CLASSES))


def adamw(model: nn.Module) -> torch.optim.AdamW:
    """Fused on every side where it is torch's: what the engine takes, and the shortest step."""
    return torch.optim.AdamW(model.parameters(), lr=RATE.peak, fused=True)


def loss_of(forward: Callable[[Tensor], Tensor], inputs: Tensor, labels: Tensor) -> Tensor:
    """The loss of a batch."""
    return F.cross_entropy(forward(inputs), labels)


def plain(source: Source) -> None:
    """The loop everybody writes, with a schedule and the loss read at every step."""
    model = network()
    optimizer = adamw(model)
    for step, (inputs, labels) in enumerate(source):
        loss = F.cross_entropy(model(inputs), labels)
        loss.backward()
        for group in optimizer.param_groups:
            group["lr"] = RATE(step)
        optimizer.step()
        optimizer.zero_grad(set_to_none=True)
        loss.item()


def tight(source: Source) -> None:
    """The same by somebody who knows that `zero_grad` opens a profiler's range each time."""
    model = network()
    optimizer = adamw(model)
    parameters = list(model.parameters())
    for step, (inputs, labels) in enumerate(source):
        loss = F.cross_entropy(model(inputs), labels)
        loss.backward()
        for group in optimizer.param_groups:
            group["lr"] = RATE(step)
        optimizer.step()
        for parameter in parameters:
            parameter.grad = None
        loss.item()


def ours(source: Source) -> None:
    """The engine's step in guide's loop: ticks, phases, the guard, meters at 10 Hz."""
    model = network()
    # A budget, so that each tick is held to a deadline; that long, for others have their turns too.
    loop = Loop(None, budget_s=3600.0)
    trainer = Trainer(
        model,
        adamw(model),
        RATE,
        source.arrays,
        device=torch.device("cpu"),
        timeline=loop.timeline,
        loss_of=loss_of,
    )
    sampler = Sampler([InTurn(meter, source) for meter in meters()], loop.clock.now_ns)
    sampler.start()
    try:
        for _ in loop:
            trainer.step()
    finally:
        sampler.stop()


def meters() -> list[Meter]:
    """Those that `guide run` reads, a plugin's aside."""
    process = ProcessMeter()
    return [process, *open_energy_meters(cpu_ns=process.cpu_ns)[0]]


class InTurn:
    """A meter that is read while one loop has its turn, and costs the others nothing."""

    def __init__(self, meter: Meter, source: Source) -> None:
        self._meter, self._source = meter, source
        self._found = Usage(())

    def start(self) -> None:
        """Start the meter."""
        self._meter.start()

    def read(self) -> Usage:
        """What it says now, or said when last read."""
        if self._source.active:
            self._found = self._meter.read()
        return self._found
