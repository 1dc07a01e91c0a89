"""`python -m benchmarks.explain [--quick] [MODULE ...]`: print the table."""

from __future__ import annotations

import importlib
import importlib.util
import sys
from collections.abc import Iterable

from benchmarks.rows import HEAD, line

MODULES = (
    "device",
    "metamorphic",
    "dtoh",
    "planted",
    "metamorphic_cpu",
    "loops",
    "newcomer",
    "numba",
    "speed",
)


def main(names: Iterable[str], quick: bool) -> None:
    """Measure and print, a row as soon as it is known."""
    print(HEAD)
    for name in names:
        part = importlib.import_module(f"benchmarks.explain.{name}")
        if not hasattr(part, "rows"):  # a table of its own
            part.main(quick=quick)
            continue
        for row in part.rows(quick):
            print(line(row), flush=True)


if __name__ == "__main__":
    asked = [name for name in sys.argv[1:] if not name.startswith("-")]
    here = [name for name in MODULES if importlib.util.find_spec(f"benchmarks.explain.{name}")]
    main(asked or here, "--quick" in sys.argv)
