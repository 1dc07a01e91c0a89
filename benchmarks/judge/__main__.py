"""`python -m benchmarks.judge [--quick|--long] [MODULE ...]`: print the table."""

from __future__ import annotations

import importlib
import sys
from collections.abc import Iterable

from benchmarks.rows import HEAD, line

MODULES = ("overhead", "cheats", "hogs", "exercises")


def main(names: Iterable[str], quick: bool) -> None:
    """Measure and print, a row as soon as it is known."""
    print(HEAD)
    for name in names:
        for row in importlib.import_module(f"benchmarks.judge.{name}").rows(quick):
            print(line(row), flush=True)


if __name__ == "__main__":
    asked = [name for name in sys.argv[1:] if not name.startswith("-")]
    main(asked or MODULES, "--quick" in sys.argv)
