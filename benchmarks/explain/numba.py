"""Reasons for loops that are not vectorised: planted functions, each beside a twin that is.

    python -m benchmarks.explain.numba [--quick]

A reason counts as named when the first verdict has it, with the right line; a twin counts when its
loop is vectorised and no verdict is given at all.
"""

from __future__ import annotations

import sys
from dataclasses import dataclass
from pathlib import Path

from benchmarks.explain import numba_planted as planted
from guide.explain.numba import explain_function
from guide.explain.numba.said import Explained
from guide.explain.numba.words import WORDS

FILE = Path(planted.__file__)
REASONS = tuple(
    name for name in vars(planted) if f"{name}_twin" in vars(planted) and name != "__name__"
)
_TITLES = {"raising": WORDS["exit"].title}


@dataclass(frozen=True, slots=True)
class Row:
    """One planted function: what was said of it, and of its twin."""

    reason: str
    line: int
    title: str
    said: str
    said_line: int
    twin: str
    faster: str = ""

    @property
    def named(self) -> bool:
        """Whether reason and line are the planted ones."""
        return (self.title, self.line) == (self.said, self.said_line)


def types_of(name: str) -> str:
    """The types that a planted function or a twin is compiled for."""
    return planted.TYPES.get(name, f"{planted.F8}, {planted.F8}")


def explained(name: str, *, trial: bool = False) -> Explained:
    """What is said of a planted function or a twin."""
    return explain_function(f"{FILE}:{name}", like=types_of(name), trial=trial)


def row(reason: str, found: Explained, twin: Explained) -> Row:
    """What was said of a planted function and of its twin."""
    first = found.verdicts[0] if found.verdicts else None
    vectorised = any("vectorised" in value and "lanes" in value for _, value in twin.facts)
    clean = vectorised or reason == "allocation"
    false = ", ".join(one.title for one in twin.verdicts) or ("" if clean else "not vectorised")
    title = _TITLES.get(reason) or WORDS[reason].title
    faster = ""
    if first and "times as fast" in first.remedy:
        faster = first.remedy.partition(" times as fast")[0].rpartition(" ")[2]
    return Row(
        reason,
        line_of(reason),
        title,
        first.title if first else "nothing",
        first.where[0].line if first and first.where else 0,
        false or "vectorised, nothing said",
        faster,
    )


def line_of(reason: str) -> int:
    """The line that carries the mark in a planted function."""
    lines = FILE.read_text(encoding="utf-8").splitlines()
    start = next(i for i, line in enumerate(lines) if line.startswith(f"def {reason}("))
    return next(i for i in range(start, len(lines)) if "# HERE" in lines[i]) + 1


def main(*, quick: bool = False) -> None:
    """Print the table."""
    rows = [
        row(reason, explained(reason, trial=not quick), explained(f"{reason}_twin"))
        for reason in REASONS
    ]
    print("| planted | line | said | line said | times as fast | its twin |")
    print("| --- | --- | --- | --- | --- | --- |")
    for one in rows:
        cells = (one.reason, one.line, one.said, one.said_line, one.faster or "-", one.twin)
        print("|", *(f"{cell} |" for cell in cells))
    twins = sum(one.twin == "vectorised, nothing said" for one in rows)
    named = sum(one.named for one in rows)
    print(
        f"\n{named} of {len(rows)} named with the right line, {twins} of {len(rows)} twins clean."
    )


if __name__ == "__main__":
    main(quick="--quick" in sys.argv)
