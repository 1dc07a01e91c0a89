"""Programs with up to three faults at once, drawn at random, and whether the worst is named first.

What each fault costs is known: the same program is simulated without it. The sizes of kernels, the
host's pace and the faults are drawn from a fixed seed, so the table is the same each time.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from guide.explain.reading import read_trace
from guide.plugin import Verdict
from tests.plugins.deep_learning.explain.programs import SOUND, Program

_MATTERS = 0.05
_AS_GOOD = 0.75  # of the most that one fault costs: another that costs so much may come first
_FREE = 1.0  # µs an operator costs a host that is not what limits
_ALIKE = {
    "exposed copies to the GPU": "unpinned copies",
    "many small exchanges": "exposed communication",
}

Draw = Callable[[random.Random], dict[str, Any]]
_FAULTS: dict[str, Draw] = {
    "waiting for data": lambda r: {"loader": r.uniform(2e3, 3e4)},
    ".item() stall": lambda r: {"item": r.choice([1, 2, 5, 10, 40])},
    "data-dependent shape": lambda r: {"mask": r.choice([1, 2, 5, 10])},
    "a copy that is a wait": lambda r: {"fetch": r.choice([1, 2, 5])},
    "unpinned copies": lambda r: {"input_us": r.uniform(500, 8e3)},
    "explicit synchronize": lambda r: {"synchronize": r.choice([1, 2, 8])},
    "Python-bound": lambda r: {"python": r.uniform(1e3, 3e4)},
    "work on the CPU": lambda r: {"cpu": r.uniform(1e3, 3e4)},
    "optimizer loop": lambda r: {"parameters": r.choice([50, 100, 300])},
    "recompiling": lambda r: {"compiling": r.uniform(1e3, 4e4)},
    "allocator churn": lambda r: {"malloc": r.choice([2, 4, 10])},
    "exposed communication": lambda r: {"exchange": r.uniform(300, 4e3), "late": r.random() < 0.5},
    "layout transforms": lambda r: {"layout": r.uniform(5, 40)},
    "debug left on": lambda _: {"anomaly": True},
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """What was said of one mixture."""

    right: bool
    ratio: float | None  # predicted gain over the true one, of what was said first
    told: str


def outcomes(
    count: int, seed: int, folder: Path, explained: Callable[[Any], Sequence[Verdict]]
) -> Iterator[Outcome]:
    """Draw `count` mixtures, write their traces and have them explained."""
    r = random.Random(seed)
    for _ in range(count):
        base = replace(
            SOUND,
            product=r.uniform(5, 150),
            plain=r.uniform(2, 40),
            host=r.uniform(8, 25),
            layers=r.choice([10, 40, 80]),
        )
        faults = {
            title: _FAULTS[title](r) for title in r.sample(sorted(_FAULTS), r.choice([1, 2, 3]))
        }
        program = base
        for fault in faults.values():
            program = replace(program, **fault)
        trace = read_trace(program.run().write(folder / "mixture.json"))
        whole = len(trace.steps) == program.steps  # no first step was left out as a warm-up
        gains = {
            title: _gain(
                program, replace(program, **{key: getattr(base, key) for key in fault}), whole
            )
            for title, fault in faults.items()
        }
        gains["launch-bound"] = _gain(program, replace(program, host=_FREE), whole)
        yield _judged(gains, trace.step_ns / 1e3, list(explained(trace)))


def _gain(program: Program, mended: Program, whole: bool) -> float:
    steps = program.steps
    gain = program.run().end - mended.run().end
    if whole:
        return gain / steps
    first = replace(program, steps=1).run().end - replace(mended, steps=1).run().end
    return (gain - first) / (steps - 1)


def _judged(gains: dict[str, float], step_us: float, said: list[Verdict]) -> Outcome:
    first = _ALIKE.get(said[0].title, said[0].title) if said else ""
    best = max(gains, key=lambda title: gains[title])
    most = gains[best]
    if first:
        right = gains.get(first, -1.0) >= _AS_GOOD * most or most < _MATTERS * step_us
    else:
        # An operator's time counts only from a tenth of the step on
        right = most < (0.12 if best == "launch-bound" else 0.08) * step_us
    ratio = None
    if first in gains and gains[first] >= _MATTERS * step_us:
        ratio = said[0].recoverable_ns / 1e3 / gains[first]
    told = f"{best} {most / 1e3:.3g} ms, said {first or 'healthy'}"
    return Outcome(right, ratio, told)
