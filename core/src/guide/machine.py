"""What this machine is, in a few facts: enough to read a measurement by."""

from __future__ import annotations

import os
import platform
import sys
from pathlib import Path


def machine_facts() -> dict[str, str | int]:
    """Processor, hardware threads this process may use, memory, system and Python.

    No host name, user or path: a record can be shown to anybody.
    """
    facts: dict[str, str | int] = {
        "processor": _processor(),
        "threads": usable_threads(),
        "system": f"{platform.system()} {platform.release()}",
        "python": f"{platform.python_implementation()} {platform.python_version()}",
    }
    memory = memory_bytes()
    if memory:
        facts["memory_bytes"] = memory
    return facts


def usable_threads() -> int:
    """Hardware threads the scheduler grants this process, not those the machine has."""
    if sys.platform == "linux":
        return len(os.sched_getaffinity(0))
    return os.cpu_count() or 1


def memory_bytes() -> int:
    """Size of the RAM; 0 where the system does not say."""
    try:
        return os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
    except (AttributeError, ValueError, OSError):
        return 0


def _processor() -> str:
    try:
        for line in Path("/proc/cpuinfo").read_text().splitlines():
            if line.startswith("model name"):
                return " ".join(line.partition(":")[2].split())
    except OSError:
        pass
    return platform.processor() or platform.machine() or "unknown"
