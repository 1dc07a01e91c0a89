"""Figures of the interpreter: what a line costs, and what watching it costs."""

from __future__ import annotations

import cProfile
import ctypes
import io
import logging
import math
import struct
import time
from collections import deque
from collections.abc import Callable
from typing import Any

from guide.foundations.figures.stopwatch import best_ns, statement_ns

_THINGS = """
class Thing:
    def __init__(self):
        self.x = 1.0
    def method(self):
        return None
    @property
    def seen(self):
        return self.x
def function():
    return None
thing, table, name = Thing(), {"x": 1.0}, 1.0
x = y = 2.0
"""


def calls(quick: bool = False) -> dict[str, Any]:
    """What one line of Python costs, the loop around it taken off."""
    lines = (
        ("x * y", "x * y"),
        ("an attribute", "thing.x"),
        ("a dict look-up", "table['x']"),
        ("a function call", "function()"),
        ("a method call", "thing.method()"),
        ("a property", "thing.seen"),
        ("a try that holds", "try:\n    x\nexcept ValueError:\n    pass"),
        ("a raise, caught", "try:\n    raise ValueError\nexcept ValueError:\n    pass"),
        ("a new object", "Thing()"),
    )
    found = [(name, statement_ns(code, _THINGS, quick)) for name, code in lines]
    by_name = dict(found)
    return {
        "what": "one line of Python, shorter is better",
        "rows": found,
        "values": {
            "multiply_ns": by_name["x * y"],
            "attribute_ns": by_name["an attribute"],
            "call_ns": by_name["a function call"],
            "object_ns": by_name["a new object"],
            "raise_ns": by_name["a raise, caught"],
        },
    }


def span(quick: bool = False) -> dict[str, Any]:
    """What it costs to measure: the clock, a span, a span that is switched off."""
    from guide.timing import Timeline

    on, off = Timeline(keep=1000), Timeline(enabled=False)

    def empty(timeline: Timeline) -> Callable[[], None]:
        site = timeline.span

        def one() -> None:
            with site("work"):
                pass

        return one

    found = [
        ("reading the clock", best_ns(time.perf_counter_ns, quick)),
        ("a span", best_ns(empty(on), quick)),
        ("a span, switched off", best_ns(empty(off), quick)),
    ]
    return {
        "what": "shorter is better",
        "log": False,
        "rows": found,
        "values": {
            "clock_ns": found[0][1],
            "span_ns": found[1][1],
            "off_ns": found[2][1],
            "frame_percent": 100 * 20 * found[1][1] / (1e9 / 60),
        },
    }


def logs(quick: bool = False) -> dict[str, Any]:
    """A line said from a loop, in ways that differ in who waits for whom."""
    log = logging.Logger("figure", logging.INFO)
    stream = io.StringIO()
    log.addHandler(logging.StreamHandler(stream))
    kept: deque[tuple[int, float]] = deque(maxlen=1000)
    now_ns = time.perf_counter_ns

    def said() -> None:
        log.info("tick %d took %.3f ms", 17, 4.25)
        stream.seek(0)

    found = [
        ("a line that is off", best_ns(lambda: log.debug("tick %d", 17), quick)),
        ("off, but formatted", best_ns(lambda: log.debug(f"tick {17} took {4.25:.3f}"), quick)),
        ("a line in memory", best_ns(said, quick)),
        ("a row in a ring", best_ns(lambda: kept.append((now_ns(), 4.25)), quick)),
    ]
    return {
        "what": "one line, shorter is better",
        "rows": found,
        "values": {
            "off_ns": found[0][1],
            "line_ns": found[2][1],
            "ring_ns": found[3][1],
            "ring_x": found[2][1] / found[3][1],
        },
    }


def borders(quick: bool = False) -> dict[str, Any]:
    """Crossing from Python into compiled code, by each of the usual gates."""
    import numpy as np

    root = ctypes.CDLL(None).labs if hasattr(ctypes.CDLL(None), "labs") else None
    small, packed = np.ones(1), struct.Struct("<d")
    large = np.ones(10_000 if quick else 100_000)
    out, out_large = np.empty(1), np.empty_like(large)
    found = [("built in: math.sqrt", best_ns(lambda: math.sqrt(2.0), quick))]
    if root is not None:
        root.argtypes, root.restype = [ctypes.c_long], ctypes.c_long
        found.append(("ctypes: labs", best_ns(lambda: root(-3), quick)))
    found += [
        ("struct.pack", best_ns(lambda: packed.pack(2.0), quick)),
        ("numpy, 1 element", best_ns(lambda: np.sqrt(small, out=out), quick)),
    ]
    whole = best_ns(lambda: np.sqrt(large, out=out_large), quick)
    return {
        "what": "one call across, shorter is better",
        "rows": found,
        "values": {
            "builtin_ns": found[0][1],
            "numpy_ns": found[-1][1],
            "each_ns": whole / large.size,
            "worth_count": math.ceil(found[-1][1] / max(found[0][1] - whole / large.size, 0.1)),
        },
    }


def profilers(quick: bool = False) -> dict[str, Any]:
    """The same work alone, under cProfile, and with a span around all of it."""
    turns = 200 if quick else 4_000

    def small(x: int) -> int:
        return x + 1

    def many_calls() -> None:
        x = 0
        for _ in range(turns):
            x = small(x)

    def one_loop() -> None:
        x = 0
        for _ in range(2 * turns):
            x = x + 1

    def watched(work: Callable[[], None]) -> None:
        profile = cProfile.Profile()
        profile.enable()
        work()
        profile.disable()

    found = [
        ("calls, alone", best_ns(many_calls, quick)),
        ("calls, profiled", best_ns(lambda: watched(many_calls), quick)),
        ("loop, alone", best_ns(one_loop, quick)),
        ("loop, profiled", best_ns(lambda: watched(one_loop), quick)),
    ]
    return {
        "what": "shorter is better",
        "log": False,
        "rows": found,
        "values": {"calls_x": found[1][1] / found[0][1], "loop_x": found[3][1] / found[2][1]},
    }
