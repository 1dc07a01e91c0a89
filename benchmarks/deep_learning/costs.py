"""What each thing costs that our loop does beside a step: twice, hot and right after a step.

In a loop around nothing a call costs half or a third of what it costs in a training: a step leaves
neither code nor data of anything else in the caches. So each part is timed after a real step as
well; that figure counts. The sum of the parts says what no comparison of two loops can resolve.
"""

from __future__ import annotations

import math
import statistics
from collections.abc import Callable, Iterator
from typing import NamedTuple

import torch
import torch.nn.functional as F  # noqa: N812
from torch import Tensor

from benchmarks.deep_learning.loops import BATCH, CLASSES, WIDTH, adamw, meters, network, now_ns
from guide.loop import Loop
from guide.timing import Timeline
from guide_deep_learning.training.loop.guard import late_loss
from guide_deep_learning.training.loop.trainer import PHASES

RATE_HZ = 10  # of the sampler
EVERY = 512  # ticks between two times that the loop works out what was recorded
Part = Callable[[int, Tensor], object]


class Cost(NamedTuple):
    """What a part adds to a step, in microseconds."""

    name: str
    hot_us: float
    cold_us: float


def costs(repeats: int) -> Iterator[Cost]:
    """Each part of what our loop adds; what the plain loop pays as well is taken off.

    Args:
        repeats: of each part, hot and after a step; the median counts.
    """
    bench = _Bench(repeats)
    ticks = iter(Loop(None, budget_s=3600.0))
    next(ticks)
    yield bench.cost("a tick: stamps, deadline, log", lambda *_: next(ticks))

    timeline = Timeline()
    laps = [timeline.lap(name) for name in ("", *PHASES)]
    each = [
        bench.cost(name, lambda *_, lap=lap: lap())
        for name, lap in zip(("", *PHASES), laps, strict=True)
    ]
    hot_us, cold_us = sum(c.hot_us for c in each), sum(c.cold_us for c in each)
    yield Cost(f"{len(each)} stamps of its phases", hot_us, cold_us)

    late = late_loss(torch.device("cpu"))

    def guard(step: int, loss: Tensor) -> None:
        found = late.swap(step, loss)
        if found is not None and not math.isfinite(found.value):
            raise ValueError(found)

    ours, read = bench.cost("", guard), bench.cost("", lambda _, loss: loss.item())
    name = "the guard, over reading the loss"
    yield Cost(name, ours.hot_us - read.hot_us, ours.cold_us - read.cold_us)
    yield Cost("working it out later", *[_folds() for _ in range(2)])
    read_all = meters()
    for meter in read_all:
        meter.start()
    once = bench.cost("", lambda *_: [meter.read() for meter in read_all])
    share = RATE_HZ * bench.step_s
    name = f"meters, read {RATE_HZ} times a second"
    yield Cost(name, once.hot_us * share, once.cold_us * share)


def let_go(repeats: int) -> tuple[Cost, Cost]:
    """Letting go of the gradients: by `zero_grad`, and one by one, as the engine does."""
    bench = _Bench(repeats)
    model, optimizer = bench.model, bench.optimizer
    parameters = list(model.parameters())

    def by_hand(*_: object) -> None:
        for parameter in parameters:
            parameter.grad = None

    called = bench.cost("zero_grad", lambda *_: optimizer.zero_grad(set_to_none=True))
    return called, bench.cost("one by one", by_hand)


class _Bench:
    def __init__(self, repeats: int) -> None:
        self.model = network()
        self.optimizer = adamw(self.model)
        self._repeats = repeats
        self._inputs = torch.randn(BATCH, WIDTH)
        self._labels = torch.randint(CLASSES, (BATCH,))
        began_ns = now_ns()
        for _ in range(repeats):
            self._step()
        self.step_s = (now_ns() - began_ns) / 1e9 / repeats

    def cost(self, name: str, part: Part) -> Cost:
        return Cost(name, self._us(part, after_step=False), self._us(part, after_step=True))

    def _us(self, part: Part, *, after_step: bool) -> float:
        loss = self._step()
        took, around = [], []
        for number in range(self._repeats):
            if after_step:
                loss = self._step()
            began_ns = now_ns()
            part(number, loss)
            ended_ns = now_ns()
            took.append(ended_ns - began_ns)
            if after_step:
                self._step()
            began_ns = now_ns()
            _nothing(number, loss)
            around.append(now_ns() - began_ns)
        return (statistics.median(took) - statistics.median(around)) / 1e3

    def _step(self) -> Tensor:
        loss = F.cross_entropy(self.model(self._inputs), self._labels)
        loss.backward()
        self.optimizer.step()
        self.optimizer.zero_grad(set_to_none=True)
        loss.item()
        return loss


def _nothing(number: int, loss: Tensor) -> None:
    """Call this, and two reads of the clock are all that is timed."""


def _folds() -> float:
    """Microseconds a tick of what the loop does every 512 ticks, when nothing else runs."""
    loop = Loop(None, budget_s=3600.0)
    laps = [loop.timeline.lap(name) for name in ("", *PHASES)]
    took = []
    ticks = iter(loop)
    for number in range(12 * EVERY):
        next(ticks)
        for lap in laps:
            lap()
        if number % EVERY == EVERY - 2:  # before the loop does it by itself
            began_ns = now_ns()
            loop.timeline.fold()
            loop.log.fold()
            took.append(now_ns() - began_ns)
    return statistics.median(took) / EVERY / 1e3
