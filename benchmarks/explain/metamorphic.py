"""One thing is changed in a sound run, and the verdict has to change to that thing."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path

from benchmarks.explain.device import explained
from benchmarks.rows import Row
from guide.explain.reading import read_trace
from tests.plugins.deep_learning.explain.programs import LIGHT, SOUND, Program

_TALKS = replace(SOUND, exchange=300.0)
_SCANS = replace(SOUND, scan=200.0)
CHANGES = (
    ("a sleep in the loader", SOUND, replace(SOUND, loader=20_000.0), "waiting for data"),
    ("a sync after every op", LIGHT, replace(LIGHT, synchronize=1), "explicit synchronize"),
    ("a value read in every layer", LIGHT, replace(LIGHT, item=1), ".item() stall"),
    ("one kernel slower", _SCANS, replace(_SCANS, scan=3_000.0), "one kernel dominates"),
    (
        "communication slower",
        _TALKS,
        replace(_TALKS, exchange=6_000.0),
        "exposed communication",
    ),
    ("work in Python", SOUND, replace(SOUND, python=30_000.0), "Python-bound"),
    ("a slower host", LIGHT, replace(LIGHT, host=40.0), "launch-bound"),
    (
        "a larger batch from pageable memory",
        SOUND,
        replace(SOUND, input_us=9_000.0),
        "unpinned copies",
    ),
)


def rows(quick: bool = False) -> Iterator[Row]:
    """How many changes were seen for what they are."""
    right, wrong = 0, []
    with tempfile.TemporaryDirectory() as folder:
        for name, before, after, title in CHANGES:
            was, now = _top(before, folder), _top(after, folder)
            if was != title and now == title:
                right += 1
            else:
                wrong.append(f"{name}: {was or 'healthy'}, then {now or 'healthy'}")
    total = len(CHANGES)
    told = ", ".join(wrong)
    yield Row(
        "the verdict follows the change", f"{right} of {total}", "", None, "all", not wrong, told
    )


def _top(program: Program, folder: str) -> str:
    said = explained(read_trace(program.run().write(Path(folder) / "trace.json")))
    return said[0].title if said else ""
