"""What a person types after an option: amounts with a unit, and NAME=VALUE."""

from __future__ import annotations

import math
import re

from guide.budgets import Budget
from guide.errors import UsageError

_PART = r"(\d+\.?\d*|\.\d+)\s*([a-z]*)\s*"

# Of each budget its unit, what a person may type for it, and how that looks.
_UNITS: dict[str, tuple[str, dict[str, float], str]] = {
    "energy": ("J", {"": 1, "j": 1, "kj": 1e3, "wh": 3600, "kwh": 3.6e6}, "50J, 2kJ or 0.5Wh"),
    "memory": (
        "B",
        {f"{k}b": 1e3**i for i, k in enumerate(["", *"kmgt"])}
        | {f"{k}ib": 1024.0**i for i, k in enumerate("kmgt", 1)},
        "500MB, 2GB or 1GiB",
    ),
    "time": ("s", {"": 1, "s": 1, "ms": 1e-3, "m": 60, "min": 60, "h": 3600}, "90s, 10m or 1h30m"),
}


def parse_budget(name: str, text: str) -> Budget:
    """What a person typed after `--energy-budget`, `--memory-budget` or `--time-budget`.

    Joules and seconds may stand without a unit; bytes may not, since nobody means 2 bytes.

    >>> parse_budget("time", "1h30m")
    Budget(name='time', limit=5400.0, unit='s')

    Raises:
        UsageError: it is no such amount, or nothing.
    """
    unit, factors, examples = _UNITS[name]
    typed = text.strip().lower()
    parts = re.findall(_PART, typed)
    limit = sum(float(number) * factors.get(u, math.nan) for number, u in parts)
    whole = re.fullmatch(f"(?:{_PART})+", typed) and (len(parts) == 1 or all(u for _, u in parts))
    if not whole or not 0 < limit < math.inf:
        raise UsageError(f"--{name}-budget {text}: not an amount above 0", f"type {examples}")
    return Budget(name, limit, unit)


def parse_assignment(text: str) -> tuple[str, str]:
    """Split `name=value`. Raises UsageError when there is no name or no equals sign."""
    name, equals, value = text.partition("=")
    if not (equals and name.strip()):
        raise UsageError(f"--set {text} names no value", "write it as --set name=value")
    return name.strip(), value
