"""A fault put into one phase of a training step, then into another: the verdict goes with it."""

from __future__ import annotations

import threading
import time
from typing import Any

import numpy as np
import pytest
from numpy.typing import NDArray
from torch import Tensor

from benchmarks.explain.loop_tasks import compute, recorded
from benchmarks.explain.loops import ranked
from guide.loop import Loop, Tick
from guide.plugins import Plugins
from guide.run import Run
from guide_deep_learning.training.data.batches import windows
from tests.plugins.deep_learning.tiny import BATCH, TEXT, make_trainer


class Trains:
    """A tiny training, and perhaps a fault in one of its phases."""

    def __init__(self, asleep: str = "", *, hog: bool = False, leak: bool = False) -> None:
        self.asleep, self.hog, self.leak = asleep, hog, leak
        self.kept: list[Any] = []
        self.ending = threading.Event()

    def start(self, run: Run) -> None:
        self.trainer = make_trainer(10_000, run.timeline, batch_of=self.batch)
        model = self.trainer.model
        if self.asleep == "forward":
            model.register_forward_hook(lambda *_: time.sleep(0.01))
        if self.asleep == "backward":
            some = next(iter(model.parameters()))
            some.register_hook(self.dreaming)
        self.trainer.warm_up()
        if self.hog:
            threading.Thread(target=self.compute, daemon=True).start()

    def dreaming(self, gradient: Tensor) -> None:
        time.sleep(0.01)

    def compute(self) -> None:
        while not self.ending.is_set():
            compute(10_000)

    def batch(self, step: int) -> NDArray[np.uint8]:
        if self.asleep == "data":
            time.sleep(0.01)
        if self.leak:
            self.kept.append(np.ones(50_000))
        return windows(TEXT, 0, step, BATCH, 16)

    def step(self, tick: Tick) -> None:
        self.trainer.step()

    def close(self) -> None:
        self.ending.set()


def first(task: Trains, loop: Loop) -> Any:
    return ranked(Plugins(), recorded(task, loop, track="deep-learning"))[0]


@pytest.mark.parametrize("phase", ["data", "forward", "backward"])
def test_a_sleep_is_named_by_the_phase_it_was_put_into(phase: str) -> None:
    said = first(Trains(asleep=phase), Loop(ticks=60))
    assert said.title == "waiting, not computing"
    assert f"in {phase} it waits" in said.says


def test_a_thread_that_keeps_the_interpreter_is_told_and_no_phase_of_the_step() -> None:
    said = first(Trains(hog=True), Loop(ticks=200))
    assert said.title == "waiting for the interpreter's lock"


def test_batches_that_are_kept_are_a_leak() -> None:
    said = first(Trains(leak=True), Loop(60, seconds=5))
    assert said.title == "memory grows"
