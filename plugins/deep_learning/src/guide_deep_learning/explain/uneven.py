"""Steps that take far longer than the others, at every tenth of them or so: seen by timing alone.

A few steps are recorded, many are timed. What is done only now and then, an evaluation or a save,
is in hardly any trace, and may be a good part of a training all the same.
"""

from __future__ import annotations

import statistics
from collections.abc import Sequence
from itertools import pairwise
from typing import Any

_LONG = 1.5  # times the median
_MOST = 1 / 3  # of the steps: more are not seldom
_LEAST = 6  # steps, of fewer nothing can be said
_ALIKE = 1.5  # times: what is done again and again takes about as long each time


def uneven(timed: Sequence[tuple[int, int]]) -> dict[str, Any]:
    """What there is to say of steps by their number and their time in ns; nothing of even ones.

    Returns:
        How many "steps" were timed and their median "usual_ns"; how many were "long", what these
        take "long_ns" (their median), the "longest_ns"; and after how many steps the next one
        comes, "every", 0 where they come without order or one only.
    """
    if len(timed) < _LEAST:
        return {}
    usual = statistics.median(ns for _, ns in timed)
    long = [(number, ns) for number, ns in timed if ns > _LONG * usual]
    if not 0 < len(long) <= _MOST * len(timed):
        return {}
    took = [ns for _, ns in long]
    return {
        "steps": len(timed),
        "usual_ns": round(usual),
        "long": len(long),
        "long_ns": round(statistics.median(took)),
        "longest_ns": max(took),
        "every": _period([number for number, _ in long]) if max(took) < _ALIKE * min(took) else 0,
    }


def _period(numbers: Sequence[int]) -> int:
    gaps = [after - before for before, after in pairwise(numbers)]
    # Of some that lie between nobody knows: they were recorded, or are those of a trial
    every = min(gaps, default=0)
    return every if every > 1 and not any(gap % every for gap in gaps) else 0
