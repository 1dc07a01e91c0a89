"""`python -m benchmarks.core [MODULE ...]`: print the table of the given modules, or of all."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable

from benchmarks.rows import HEAD, line

MODULES = ("start", "spans", "percentiles", "trace", "meters", "card", "pacing")


def main(names: Iterable[str]) -> None:
    """Measure and print, a row as soon as it is known."""
    print(HEAD)
    for name in names:
        for row in importlib.import_module(f"benchmarks.core.{name}").rows():
            print(line(row), flush=True)


if __name__ == "__main__":
    main(sys.argv[1:] or MODULES)
