"""Passes over memory saved by fusing, what compiling takes, what a wrong guess costs."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from guide.errors import GuideError
from guide.foundations.figures.roof import energy_kernel
from guide.foundations.figures.stopwatch import best_ns, series
from guide.learn.chart import Lines


def fusion(quick: bool = False) -> dict[str, Any]:
    """sqrt(max(a b + c, 0)) 2 + a: an operation at a time, in place, in blocks, compiled."""
    import numpy as np

    count = 1 << (14 if quick else 22)
    a, b, c = (np.random.default_rng(i).random(count) for i in range(3))
    out = np.empty(count)
    ways: dict[str, Callable[[], object]] = {
        "eager": lambda: eager(a, b, c),
        "in place": lambda: in_place(a, b, c, out),
        "in blocks": lambda: in_blocks(a, b, c, out),
    }
    if find_spec("numba"):
        fused = import_module("numba").njit(fused_kernel)
        ways["one loop (numba)"] = lambda: fused(a, b, c, out)
    found = [(name, best_ns(call, quick, 150_000_000)) for name, call in ways.items()]
    return {
        "what": "4 million elements, shorter is better",
        "log": False,
        "rows": found,
        "values": {
            "eager_ns": found[0][1],
            "blocks_x": found[0][1] / found[2][1],
            "fused_x": found[0][1] / found[-1][1],
        },
    }


def eager(a: Any, b: Any, c: Any) -> Any:
    """An operation at a time, as it is written: each makes a new array and forgets it."""
    import numpy as np

    return np.sqrt(np.maximum(a * b + c, 0)) * 2 + a


def in_place(a: Any, b: Any, c: Any, out: Any) -> Any:
    """The same, into memory that is there."""
    import numpy as np

    np.multiply(a, b, out=out)
    np.add(out, c, out=out)
    np.maximum(out, 0, out=out)
    np.sqrt(out, out=out)
    np.multiply(out, 2, out=out)
    return np.add(out, a, out=out)


def in_blocks(a: Any, b: Any, c: Any, out: Any, size: int = 65_536) -> Any:
    """The same, a block at a time, so that what one operation wrote the next finds in cache."""
    for i in range(0, len(out), size):
        j = i + size
        in_place(a[i:j], b[i:j], c[i:j], out[i:j])
    return out


def fused_kernel(a: Any, b: Any, c: Any, out: Any) -> Any:
    """The same for a compiler: each element is read once and written once."""
    for i in range(out.size):
        out[i] = math.sqrt(max(a[i] * b[i] + c[i], 0.0)) * 2 + a[i]
    return out


def compiling(quick: bool = False) -> dict[str, Any]:
    """A function's first call under numba, its next ones, and what a promise is worth."""
    import numpy as np

    if not find_spec("numba"):
        raise GuideError("not measured: numba is not installed", "pip install numba")
    import time

    numba = import_module("numba")
    x = np.random.default_rng(0).random(2_000 if quick else 100_000)
    strict, loose = numba.njit(energy_kernel), numba.njit(fastmath=True)(energy_kernel)
    start_ns = time.perf_counter_ns()
    strict(x, x)
    first_ns = float(time.perf_counter_ns() - start_ns)
    ways = (("strict", strict), ("order is free", loose))
    found = [(name, best_ns(partial(f, x, x), quick)) for name, f in ways]
    call_ns = best_ns(lambda: loose(x[:1], x[:1]), quick)
    return {
        "what": "shorter is better",
        "rows": [("first call", first_ns), *found, ("on one element", call_ns)],
        "values": {
            "first_ns": first_ns,
            "strict_ns": found[0][1],
            "loose_ns": found[1][1],
            "loose_x": found[0][1] / found[1][1],
            "call_ns": call_ns,
        },
    }


def compact(values: Any, out: Any) -> int:
    """Keep what is 128 or more: a branch that the processor must guess for each value."""
    count = 0
    for i in range(values.size):
        if values[i] >= 128:
            out[count] = values[i]
            count += 1
    return count


def compact_branchless(values: Any, out: Any) -> int:
    """The same without a guess: always write, and step on by nothing or by one."""
    count = 0
    for i in range(values.size):
        out[count] = values[i]
        count += values[i] >= 128
    return count


def branches(quick: bool = False) -> dict[str, Any]:
    """The two above, over the share of values that are kept, in random order."""
    import numpy as np

    if not find_spec("numba"):
        raise GuideError("not measured: numba is not installed", "pip install numba")
    numba = import_module("numba")
    guess, step = numba.njit(compact), numba.njit(compact_branchless)
    random, count = np.random.default_rng(0), 1 << (12 if quick else 16)
    out = np.empty(count + 1, np.uint8)
    lines: dict[str, list[tuple[float, float]]] = {"branch": [], "no branch": []}
    for percent in (0, 5, 10, 20, 35, 50, 65, 80, 90, 95, 100):
        kept = random.random(count) < percent / 100
        values = np.where(kept, 200, 50).astype(np.uint8)
        for name, kernel in (("branch", guess), ("no branch", step)):
            ns = best_ns(partial(kernel, values, out), quick, 40_000_000)
            lines[name].append((percent, ns / count))
    known, doubtful = lines["branch"][0][1], lines["branch"][5][1]
    return {
        "lines": lines,
        "values": {
            "known_ns": known,
            "doubtful_ns": doubtful,
            "none_ns": lines["no branch"][5][1],
            "branchless_x": doubtful / lines["no branch"][5][1],
        },
    }


def draw_branches(data: Mapping[str, Any]) -> Lines:
    """Over the share that is kept."""
    marks = [(float(p), f"{p} %") for p in (0, 25, 50, 75, 100)]
    return Lines(series(data), "values that are kept", "ns a value", log="", x_marks=marks)
