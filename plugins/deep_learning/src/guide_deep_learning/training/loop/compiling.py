"""torch.compile, and when it pays back.

Compiling takes from seconds to minutes, and makes each step shorter by a share that nobody knows
beforehand. So both are measured: a run that ends before the one has made up for the other is told.
"""

from __future__ import annotations

import math
import shutil
import statistics
import time
from collections.abc import Callable
from typing import NamedTuple

import torch

from guide.errors import GuideError
from guide.units import duration, number
from guide_deep_learning.training.loop.trainer import Trainer


class PayBack(NamedTuple):
    """Seconds a step takes without and with, and seconds that compiling took."""

    eager_s: float
    compiled_s: float
    compile_s: float

    @property
    def steps(self) -> float:
        """After how many steps compiling has paid; infinite when it never does."""
        saved = self.eager_s - self.compiled_s
        return self.compile_s / saved if saved > 0 else math.inf

    def sentence(self, steps: int) -> str:
        """What it means for a run of so many steps."""
        took = duration(self.compile_s * 1e9)
        each = f"{duration(self.eager_s * 1e9)} a step without, {duration(self.compiled_s * 1e9)}"
        if not math.isfinite(self.steps):
            return f"compiling took {took} and gains nothing ({each} with it): leave --compile out"
        pays = f"it pays back after {number(math.ceil(self.steps))} steps"
        if self.steps <= steps:
            return f"compiling took {took} ({each} with it): {pays}, of {number(steps)}"
        return (
            f"compiling took {took} ({each} with it): {pays}, and this run has {number(steps)}: "
            "leave --compile out"
        )


def compiled(trainer: Trainer, *, tries: int = 5) -> PayBack:
    """Compile what `trainer` steps through, and measure what it cost and gains.

    The model itself stays as it is, so that evaluation and generation, whose shapes differ, do not
    compile anew each time; and so do the names in its checkpoints.

    Raises:
        GuideError: when this machine cannot compile.
    """
    device = next(trainer.model.parameters()).device
    if device.type == "cpu" and not any(map(shutil.which, ("g++", "clang++", "c++", "cl"))):
        raise GuideError(
            "torch.compile needs a C++ compiler, and there is none here",
            "install one (Debian: apt install g++), or leave --compile out",
        )
    eager_s = _median(trainer.warm_up, tries)
    forward = trainer.forward
    trainer.forward = torch.compile(forward)
    began = time.perf_counter()
    try:
        trainer.warm_up()
    except Exception as error:
        trainer.forward = forward
        if isinstance(error, GuideError) or not type(error).__module__.startswith("torch"):
            raise
        first = str(error).strip().splitlines()[0]
        raise GuideError(f"torch.compile failed: {first}", "leave --compile out") from error
    compile_s = time.perf_counter() - began
    compiled_s = _median(trainer.warm_up, tries)
    return PayBack(eager_s, compiled_s, max(compile_s - compiled_s, 0.0))


def _median(call: Callable[[], object], tries: int) -> float:
    call()
    times = []
    for _ in range(tries):
        began = time.perf_counter()
        call()
        times.append(time.perf_counter() - began)
    return statistics.median(times)
