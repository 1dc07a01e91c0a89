"""The machine's code: how wide the registers are that a loop works with, and what the CPU has."""

from __future__ import annotations

import re
from collections.abc import Iterable
from dataclasses import dataclass
from importlib import import_module
from pathlib import Path

_LABEL = re.compile(r"^(\.?L[\w$]+):")
_JUMP = re.compile(r"^\s+(?:j\w+|b(?:\.\w+)?|cb\w+|tb\w+)\s.*?(\.?L[\w$]+)\s*$")
_LOC = re.compile(r"^\s+\.loc\s+(\d+) (\d+)")
_FILE = re.compile(r'^\s+\.file\s+(\d+) (?:"([^"]*)" )?"([^"]+)"')
_REGISTERS = ((512, re.compile(r"%?\bzmm\d")), (256, re.compile(r"%?\bymm\d")))
_SMALL = re.compile(r"%?\bxmm\d")
_NEON = re.compile(r"\bv\d+\.\d+[bhsd]\b")
_WORK = re.compile(r"^\s+v?(?:[a-z0-9]*p[sd]|p[a-z]+[bwdq]?)\s")
"""Instructions that work on whole registers, of floats ("mulpd") or integers ("paddd")."""

NAMES = {512: "zmm", 256: "ymm", 128: "xmm"}


@dataclass(frozen=True, slots=True)
class AsmLoop:
    """An innermost loop: the bits of the widest registers that it works with, and its lines."""

    bits: int
    lines: frozenset[tuple[str, int]]


def read_asm(asm: str) -> list[AsmLoop]:
    """The innermost loops: from a label to a jump back to it, with no other such in between."""
    lines = asm.splitlines()
    labels = {m[1]: i for i, line in enumerate(lines) if (m := _LABEL.match(line))}
    spans = [
        (labels[m[1]], i)
        for i, line in enumerate(lines)
        if (m := _JUMP.match(line)) and labels.get(m[1], i) < i
    ]
    inner = [
        one
        for one in spans
        if not any(one != other and one[0] <= other[0] and other[1] <= one[1] for other in spans)
    ]
    files = {m[1]: str(Path(m[2] or "", m[3])) for one in lines if (m := _FILE.match(one))}
    return [_loop(lines, start, end, files) for start, end in inner]


def _loop(lines: list[str], start: int, end: int, files: dict[str, str]) -> AsmLoop:
    before = next((m for i in range(start, -1, -1) if (m := _LOC.match(lines[i]))), None)
    locs = [before, *(_LOC.match(line) for line in lines[start:end])]
    found = {(files.get(one[1], ""), int(one[2])) for one in locs if one}
    return AsmLoop(max(map(_bits, lines[start : end + 1])), frozenset(found))


def _bits(line: str) -> int:
    for bits, register in _REGISTERS:
        if register.search(line):
            return bits
    if _SMALL.search(line):
        return 128 if _WORK.match(line) else 0
    return 128 if _NEON.search(line) else 0


def register_bits(loops: Iterable[AsmLoop], file: str, start: int, end: int) -> int:
    """The widest registers in the loops that come from these lines; 0: one element at a time."""
    bits = [
        loop.bits
        for loop in loops
        if any(name == file and start <= line <= end for name, line in loop.lines)
    ]
    return max(bits, default=0)


def cpu_bits() -> tuple[int, str]:
    """How wide this processor's vector registers are, and what they are called."""
    features = import_module("llvmlite.binding").get_host_cpu_features()
    for name, bits, called in (
        ("avx512f", 512, "AVX-512"),
        ("avx2", 256, "AVX2"),
        ("avx", 256, "AVX"),
        ("sse2", 128, "SSE2"),
        ("neon", 128, "NEON"),
    ):
        if features.get(name):
            return bits, called
    return 0, "none"
