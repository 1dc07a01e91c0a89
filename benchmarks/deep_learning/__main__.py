"""`python -m benchmarks.deep_learning [--quick] [--markdown] [PART ...]`: print the table.

Both sides of a figure run in turn. Ratios are medians of the pairs; beside them stands how far to
trust them. A machine with other work gives other figures: leave it alone.
"""

from __future__ import annotations

import argparse
import importlib
import importlib.util
import sys
from importlib.metadata import version

from benchmarks.apart import FailedError
from benchmarks.deep_learning.scale import QUICK, Scale
from benchmarks.rows import HEAD, Row, line, machine

PARTS = ("overhead", "imports", "target", "kill", "damage", "machines", "data", "deploy")


def main() -> None:
    """Measure and print, a row as soon as it is known."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.deep_learning", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--quick", action="store_true", help="to see that it runs")
    parser.add_argument(
        "--markdown", action="store_true", help="the machine's name above the table"
    )
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    typed = parser.parse_args()
    if unknown := set(typed.parts) - set(PARTS):
        parser.error(f"no part is called {', '.join(unknown)}; there are {', '.join(PARTS)}")
    scale = QUICK if typed.quick else Scale()
    if typed.markdown:
        print(machine(f"torch {version('torch')}") + "\n")
    failed = False
    print(HEAD)
    for part in typed.parts or PARTS:
        name = f"benchmarks.deep_learning.{part}"
        if importlib.util.find_spec(name) is None:
            print(line(Row(part, "-", "not there yet", None, "-", None)), flush=True)
            continue
        try:
            for row in importlib.import_module(name).rows(scale):
                print(line(row), flush=True)
        except (FailedError, ImportError) as error:  # the other parts are worth having
            failed = True
            print(line(Row(part, "-", f"did not run: {error}", None, "-", False)), flush=True)
    sys.exit(failed)


if __name__ == "__main__":
    main()
