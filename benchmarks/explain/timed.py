"""`python -m benchmarks.explain.timed SCRIPT [OPTIONS]`: how long its steps take, unprofiled.

Prints the lower quartile in ns of at least 8 and at most 400 steps, for what else the machine does
can only add to one; each ends with its optimizer's. With a GPU it is their mean, from when the
queue was empty until it is again: a single step of the host's ends before its work does.
"""

from __future__ import annotations

import contextlib
import itertools
import runpy
import statistics
import sys
import time
from typing import Any

import torch
from torch.optim.optimizer import register_optimizer_step_post_hook

_LEAST, _MOST, _WARM, _LONG_NS = 8, 400, 3, 1_500_000_000


class _Enough(BaseException):
    """Ends the script."""


def main(script: str, options: list[str]) -> None:
    """Run a script until its steps are known, and print what they take."""
    ends: list[int] = []
    on_gpu = torch.cuda.is_available()

    def ended(*_: Any) -> None:
        if on_gpu and len(ends) == _WARM:
            torch.cuda.synchronize()
        ends.append(time.perf_counter_ns())
        steps = len(ends) - 1 - _WARM
        if steps >= _LEAST and (steps >= _MOST or ends[-1] - ends[_WARM] > _LONG_NS):
            raise _Enough

    register_optimizer_step_post_hook(ended)
    sys.argv = [script, *options]
    with contextlib.suppress(_Enough):
        runpy.run_path(script, run_name="__main__")
    if on_gpu:
        torch.cuda.synchronize()
        step_ns = (time.perf_counter_ns() - ends[_WARM]) / (len(ends) - 1 - _WARM)
    else:
        took = [b - a for a, b in itertools.pairwise(ends)][_WARM:]
        step_ns = statistics.quantiles(took, n=4)[0]
    sys.stdout.write(f"{round(step_ns)}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
