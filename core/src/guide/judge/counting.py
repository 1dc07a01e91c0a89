"""What one call does, counted: exact, and the same on a busy machine as on a quiet one."""

from __future__ import annotations

import sys
import tracemalloc
from collections.abc import Callable
from typing import Any


def counted(call: Callable[[], Any]) -> dict[str, Any]:
    """Call once and count.

    Returns:
        "value": what it returned; "memory": most bytes held at once by what it asked for, as far
        as Python and numpy tell; "calls": functions called, Python's and C's, without `call`.
    """
    before = tracemalloc.is_tracing()
    tracemalloc.start()
    try:
        held, _ = tracemalloc.get_traced_memory()
        tracemalloc.reset_peak()
        value = call()
        peak = tracemalloc.get_traced_memory()[1] - held
    finally:
        if not before:
            tracemalloc.stop()
    calls = 0

    def count(frame: object, event: str, argument: object) -> None:
        nonlocal calls
        calls += event in ("call", "c_call")

    profiled = sys.getprofile()
    sys.setprofile(count)
    try:
        call()
    finally:
        sys.setprofile(profiled)
    # The lambda, and the call that takes the counter away again.
    return {"value": value, "memory": max(peak, 0), "calls": max(calls - 2, 0)}
