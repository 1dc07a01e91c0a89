"""What the processor can do, without torch."""

from __future__ import annotations

from pathlib import Path

# With these instructions bf16 is computed; without them torch emulates it, many times slower.
BF16_FLAGS = ("avx512_bf16", "amx_bf16", "bf16")


def cpu_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> set[str]:
    """The CPU's features as Linux names them; empty elsewhere."""
    try:
        lines = cpuinfo.read_text(encoding="utf-8", errors="replace").splitlines()
    except OSError:
        return set()
    return {
        flag
        for line in lines
        if line.startswith(("flags", "Features"))
        for flag in line.partition(":")[2].split()
    }


def bf16_flags(cpuinfo: Path = Path("/proc/cpuinfo")) -> list[str]:
    """Which of the instructions for bf16 the CPU has."""
    there = cpu_flags(cpuinfo)
    return [flag for flag in BF16_FLAGS if flag in there]
