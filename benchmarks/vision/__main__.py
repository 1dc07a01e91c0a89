"""`python -m benchmarks.vision [--quick | --long] [--markdown] [PART ...]`: print the table.

Both sides of a figure run in turn, in processes of their own. The ratios are medians of the pairs,
beside them are their quartiles. A machine with other work gives other figures: leave it alone.
"""

from __future__ import annotations

import argparse
import importlib
from dataclasses import replace

import cv2

from benchmarks.rows import HEAD, line, machine
from benchmarks.vision.clip import SIZES
from benchmarks.vision.scale import LONG, QUICK, Scale

PARTS = ("throughput", "quality", "copies", "live", "lag", "loss", "memory")


def main() -> None:
    """Measure and print, a row as soon as it is known."""
    parser = argparse.ArgumentParser(prog="python -m benchmarks.vision", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    length = parser.add_mutually_exclusive_group()
    length.add_argument("--quick", action="store_true", help="three minutes, to see that it runs")
    length.add_argument("--long", action="store_true", help="an hour: 5 minutes live, 100 "
                        "reconnects, 10 minutes of memory")  # fmt: skip
    parser.add_argument(
        "--markdown", action="store_true", help="the machine's name above the table"
    )
    parser.add_argument("--height", type=int, choices=SIZES, default=720, help="of the clip")
    parser.add_argument("parts", nargs="*", metavar="PART", help=f"of {', '.join(PARTS)}")
    typed = parser.parse_args()
    if unknown := set(typed.parts) - set(PARTS):
        parser.error(f"no part is called {', '.join(unknown)}; there are {', '.join(PARTS)}")
    scale = QUICK if typed.quick else LONG if typed.long else Scale()
    scale = replace(scale, height=typed.height)
    if typed.markdown:
        print(machine(f"OpenCV {cv2.__version__}") + "\n")
    print(HEAD)
    for part in typed.parts or PARTS:
        for row in importlib.import_module(f"benchmarks.vision.{part}").rows(scale):
            print(line(row), flush=True)


if __name__ == "__main__":
    main()
