"""The program of an exercise as it is handed out, and as its solution has it, timed in turn."""

from __future__ import annotations

import importlib.util
import statistics
import time
from pathlib import Path
from types import ModuleType
from typing import Any

import numpy as np


def as_it_was_and_mended(
    folder: Path, entry: str, case: Any, parts: int, seconds: float
) -> dict[str, Any]:
    """A living figure's data: the time of one part of the work, before and after.

    Args:
        folder: of the exercise: starter.py, solution.py, and check.py for the input.
        entry: the function that is called.
        case: as for check.py's `make_input`.
        parts: frames or steps in one call: times are of one of them.
        seconds: how long to go on; each runs once at least, after one that does not count.
    """
    arguments = _module(folder / "check.py").make_input(np.random.default_rng(0), case)
    calls = [getattr(_module(folder / f"{name}.py"), entry) for name in ("starter", "solution")]
    times: list[list[int]] = [[], []]
    until_s = time.perf_counter() + seconds
    while len(times[1]) < 2 or time.perf_counter() < until_s:
        for call, taken in zip(calls, times, strict=True):
            began_ns = time.perf_counter_ns()
            call(*arguments)
            taken.append(time.perf_counter_ns() - began_ns)
    was_ns, is_ns = (statistics.median(taken[1:]) / parts for taken in times)
    return {
        "what": "shorter is better",
        "log": False,
        "rows": [("as it was written", was_ns), ("six faults mended", is_ns)],
        "values": {"was_ns": was_ns, "is_ns": is_ns, "gain_x": was_ns / is_ns},
    }


def _module(file: Path) -> ModuleType:
    spec = importlib.util.spec_from_file_location(f"_{file.parent.name}_{file.stem}", file)
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module
