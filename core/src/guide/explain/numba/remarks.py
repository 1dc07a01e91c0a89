"""What LLVM says while it optimises: its remarks, read into one record per loop.

For each loop that its vectoriser looks at, LLVM prints what it found (none, one or several lines)
and then the outcome. It prints a file and a line only for code that has line information, so what
comes out of Numba's own library has none and is left out.
"""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass

PASSES = "loop-vectorize|loop-idiom|loop-delete"
OPTIONS = tuple(f"-pass-remarks{which}={PASSES}" for which in ("", "-missed", "-analysis"))
"""Options for LLVM's command line: said, missed, and why."""

_REMARK = re.compile(r"remark: (?P<file>.*?):(?P<line>\d+):\d+: (?P<text>.*)")
_LANES = re.compile(r"vectorized loop \(vectorization width: (\d+), interleaved count: (\d+)\)")
_BESIDE = (
    "interleaving is not beneficial",
    "conversion changes vector width",
    "has already been vectorized",  # a second look, at what the first one left
)
_NOT = "loop not vectorized"


@dataclass(frozen=True, slots=True)
class Remark:
    """One line of LLVM's, with where it points."""

    file: str
    line: int
    text: str


@dataclass(frozen=True, slots=True)
class LoopRemarks:
    """What LLVM said of one loop.

    `lanes` is how many elements one turn handles side by side; 1: not vectorised. `gone` says that
    there is no loop any more: a call of memcpy or memset stands there, or nothing.
    """

    file: str
    line: int
    lanes: int = 1
    interleaved: int = 1
    gone: bool = False
    reasons: tuple[Remark, ...] = ()


def read_remarks(text: str) -> list[Remark]:
    """The remarks in what LLVM wrote to stderr; other lines belong to the remark before them."""
    found: list[Remark] = []
    for line in text.splitlines():
        if match := _REMARK.match(line):
            file = match["file"]
            found.append(Remark("" if file == "<unknown>" else file, int(match["line"]), match[3]))
        elif found and not line.startswith((" ", "/")):
            last = found.pop()
            found.append(Remark(last.file, last.line, f"{last.text} {line}"))
    return found


def by_loop(remarks: Iterable[Remark]) -> list[LoopRemarks]:
    """Put together what belongs to one loop, in LLVM's order; what has no line is left out."""
    loops: list[LoopRemarks] = []
    reasons: list[Remark] = []

    def end(remark: Remark, lanes: int = 1, interleaved: int = 1, *, gone: bool = False) -> None:
        if remark.file:
            own = tuple(one for one in reasons if one.file)
            loops.append(LoopRemarks(remark.file, remark.line, lanes, interleaved, gone, own))
        reasons.clear()

    for remark in remarks:
        if lanes := _LANES.match(remark.text):
            end(remark, int(lanes[1]), int(lanes[2]))
        elif remark.text.startswith(("Transformed", "Loop deleted", "Formed")):
            end(remark, gone=True)
        elif remark.text == _NOT:
            end(remark)
        elif "vectorization is not beneficial" in remark.text:
            reasons.append(remark)
            end(remark)
        elif not any(beside in remark.text for beside in _BESIDE):
            text = remark.text.removeprefix(f"{_NOT}: ")
            reasons.append(Remark(remark.file, remark.line, text))
    return loops
