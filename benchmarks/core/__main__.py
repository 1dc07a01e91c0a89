"""`python -m benchmarks.core [MODULE ...]`: print the table of the given modules, or of all."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable

from benchmarks.core.rows import Row

MODULES = ("start", "spans", "percentiles", "trace", "meters", "card", "pacing")


def main(names: Iterable[str]) -> None:
    """Measure and print, a row as soon as it is known."""
    print("| figure | ours | peer | ratio | quartiles | goal | met |")
    print("| --- | --- | --- | --- | --- | --- | --- |")
    for name in names:
        for row in importlib.import_module(f"benchmarks.core.{name}").rows():
            print(line(row), flush=True)


def line(row: Row) -> str:
    """A row of the Markdown table."""
    ratio = "" if row.ratio is None else f"{row.ratio:.3g}"
    met = {True: "yes", False: "NO", None: "-"}[row.ok]
    cells = (row.figure, row.ours, row.peer, ratio, row.spread, row.goal, met)
    return "| " + " | ".join(cells) + " |"


if __name__ == "__main__":
    main(sys.argv[1:] or MODULES)
