"""Climb all rungs, one after the other, and draw the ladder.

    python -m time_to_target.ladder [--drawn-only] [RUNG ...]

Each rung is a `guide run` with a record of its own. Steps are the same on any day; seconds are not
where other programs run, so compare CPU seconds, and leave the machine alone.
"""

from __future__ import annotations

import argparse
import subprocess
import sys
from pathlib import Path
from typing import get_args

from guide.readback import read_record
from guide.record import known_runs

from .climb import Climb, climbed
from .drawing import ladder_svg, table
from .options import Name

PROJECT = Path(__file__).parents[1]


def newest(rung: str, runs: Path) -> Climb | None:
    """The climb of the newest run of a rung that reached the target."""
    found = None
    for folder in sorted(known_runs(runs), key=lambda path: path.name):
        climb = climbed(read_record(folder))
        if climb is not None and climb.rung == rung:
            found = climb
    return found


def main() -> None:
    """Climb and draw."""
    parser = argparse.ArgumentParser(prog="python -m time_to_target.ladder", description=__doc__)
    parser.formatter_class = argparse.RawDescriptionHelpFormatter
    parser.add_argument("--drawn-only", action="store_true", help="from the runs that are there")
    parser.add_argument("rungs", nargs="*", metavar="RUNG", help=f"of {', '.join(get_args(Name))}")
    typed = parser.parse_args()
    if unknown := set(typed.rungs) - set(get_args(Name)):
        parser.error(f"no rung is called {', '.join(sorted(unknown))}")
    if not typed.drawn_only:
        for rung in typed.rungs or get_args(Name):
            command = [sys.executable, "-m", "guide", "run", str(PROJECT), "--set", f"rung={rung}"]
            subprocess.run(command, check=True)
    runs = PROJECT / "runs"
    climbs = [climb for rung in get_args(Name) if (climb := newest(rung, runs)) is not None]
    if not climbs:
        sys.exit("no run has reached the target yet: leave out --drawn-only")
    picture = PROJECT / "images" / "ladder.svg"
    picture.parent.mkdir(exist_ok=True)
    picture.write_text(ladder_svg(climbs), encoding="utf-8")
    print(table(climbs))
    print(f"\n{picture}")


if __name__ == "__main__":
    main()
