"""A fault put into one phase of a training step, then into another: the verdict goes with it."""

from __future__ import annotations

import time
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.explain.loop_tasks import recorded
from benchmarks.explain.loops import ranked
from guide.loop import Loop, Tick
from guide.plugins import Plugins
from guide.run import Run
from guide_deep_learning.training.data.batches import windows
from tests.plugins.deep_learning.tiny import BATCH, TEXT, make_trainer


class Trains:
    """A tiny training, and perhaps a fault in one of its phases."""

    def __init__(self, asleep: str = "") -> None:
        self.asleep = asleep

    def start(self, run: Run) -> None:
        self.trainer = make_trainer(10_000, run.timeline, batch_of=self.batch)
        model = self.trainer.model
        if self.asleep == "forward":
            model.register_forward_hook(lambda *_: time.sleep(0.01))
        if self.asleep == "backward":
            some = next(iter(model.parameters()))
            some.register_hook(self.dreaming)
        self.trainer.warm_up()

    def dreaming(self, gradient: Tensor) -> None:
        time.sleep(0.01)

    def batch(self, step: int) -> NDArray[np.uint8]:
        if self.asleep == "data":
            time.sleep(0.01)
        return windows(TEXT, 0, step, BATCH, 16)

    def step(self, tick: Tick) -> None:
        self.trainer.step()

    def close(self) -> None:
        """Nothing is open."""


def first(task: Trains, loop: Loop) -> Any:
    return ranked(Plugins(), recorded(task, loop, track="deep-learning"))[0]


@pytest.mark.parametrize("phase", ["data", "forward", "backward"])
def test_a_sleep_is_named_by_the_phase_it_was_put_into(phase: str) -> None:
    said = first(Trains(asleep=phase), Loop(ticks=60))
    assert said.title == "waiting, not computing"
    assert f"in {phase} it waits" in said.says
