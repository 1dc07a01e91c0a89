"""`python -m benchmarks.explain.timed SCRIPT [OPTIONS]`: how long its steps take, unprofiled.

Prints the median in ns of at least 8 and at most 400 steps; each ends with its optimizer's.
"""

from __future__ import annotations

import contextlib
import itertools
import runpy
import statistics
import sys
import time
from typing import Any

from torch.optim.optimizer import register_optimizer_step_post_hook

_LEAST, _MOST, _WARM, _LONG_NS = 8, 400, 3, 1_500_000_000


class _Enough(BaseException):
    """Ends the script."""


def main(script: str, options: list[str]) -> None:
    """Run a script until its steps are known, and print what they take."""
    ends: list[int] = []

    def ended(*_: Any) -> None:
        ends.append(time.perf_counter_ns())
        steps = len(ends) - 1 - _WARM
        if steps >= _LEAST and (steps >= _MOST or ends[-1] - ends[_WARM] > _LONG_NS):
            raise _Enough

    register_optimizer_step_post_hook(ended)
    sys.argv = [script, *options]
    with contextlib.suppress(_Enough):
        runpy.run_path(script, run_name="__main__")
    took = [b - a for a, b in itertools.pairwise(ends)][_WARM:]
    sys.stdout.write(f"{round(statistics.median(took))}\n")


if __name__ == "__main__":
    main(sys.argv[1], sys.argv[2:])
