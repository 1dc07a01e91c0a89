"""One thing is changed in a sound program on the CPU, and the verdict has to change to that thing.

The program is profiled anew each time; what is changed is said to `programs/changed.py`.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.explain.planted import profiled, worth_mending
from benchmarks.rows import Row
from guide.plugins import Plugins

CHANGES = (
    ("a sleep in the loader", "--loader", "waiting for data"),
    ("one operator slowed", "--operator", "one operator takes much of it"),
    ("a loop of Python's", "--python", "bound by Python"),
    ("a value read for each element", "--read", "values read one by one"),
)


def rows(quick: bool = False) -> Iterator[Row]:
    """How many changes were seen for what they are."""
    plugins, right, wrong = Plugins(), 0, []
    with tempfile.TemporaryDirectory() as folder:
        before = worth_mending(profiled("changed", Path(folder)), plugins)
        was = before[0].title if before and before[0].sure != "perhaps" else "healthy"
        for name, option, title in CHANGES[: 2 if quick else None]:
            now = worth_mending(profiled("changed", Path(folder), option), plugins)
            top = now[0].title if now else "healthy"
            if was == "healthy" and top == title:
                right += 1
            else:
                wrong.append(f"{name}: {was}, then {top}")
    total = right + len(wrong)
    yield Row(
        "on the CPU the verdict follows the change", f"{right} of {total}", "", None, "all",
        not wrong, "; ".join(wrong),
    )  # fmt: skip
