"""The machine card: figures with their spread, and the one that is kept for later."""

from __future__ import annotations

import json
import math
import os
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any

from guide.errors import GuideError
from guide.machine import machine_facts
from guide.units import duration, number

# How much spread a figure may have, by what its id begins with; else 15 %.
# A ceiling is the best of its trials, since whatever disturbs a trial makes it slower. It can be
# relied on when it is reached again and again: its spread is how far from the best the best
# quarter of the trials ends. Past 15 % a share of the ceiling would be wrong by a seventh.
# A percentile of lateness belongs to a noisy thing, and is worth saying when it is known to a
# factor of three: its spread is half of what the interval that one standard deviation of its rank
# spans adds to its lower end.
# Disks and starts have caches and neighbours that we cannot see: known to a half is well known.
_LIMITS = {"wake": 1.0, "start": 0.5, "disk": 0.5}
_LIMIT = 0.15

_MAIN = (
    "triad.all",
    "fma.f32.all",
    "fma.f64.all",
    "latency.memory",
    "wake.240.p99",
    "start.python",
)
_FORMAT = 1  # of the kept card and of the kernels behind it


@dataclass(frozen=True, slots=True)
class Figure:
    """One limit.

    Attributes:
        id: what others look it up by: "triad.all", "wake.240.p99".
        name: what it is, for a person.
        value: in `unit`, which is "ns", "GB/s", "MB/s" or "GFLOP/s".
        spread: how sure it is, relative to `value`.
        text: value and unit as a person reads them, or why there is none.
        why: what it means.
        steady: whether it may be used; where not, `text` says so instead of a number.
    """

    id: str
    name: str
    value: float
    unit: str
    spread: float
    text: str
    why: str
    steady: bool


@dataclass(frozen=True, slots=True)
class Card:
    """What this machine can do.

    Attributes:
        measured: when, in UTC, as ISO date and time.
        fingerprint: the machine and the tools it was measured with; names nobody and no place.
        figures: all of them, also those that are too noisy to say.
        curve: the latency of a load over the size of what it reads from: (bytes, ns) pairs.
        quick: whether it was measured in a hurry, with figures left out.
        seconds: how long measuring took.
    """

    measured: str
    fingerprint: Mapping[str, str | int]
    figures: Sequence[Figure]
    curve: Sequence[tuple[int, float]]
    quick: bool = False
    seconds: float = 0.0

    @property
    def main(self) -> list[Figure]:
        """The half dozen that say most."""
        return [f for id in _MAIN for f in self.figures if f.id == id]

    @property
    def noisy(self) -> int:
        """How many of its figures are too noisy to say."""
        return sum(bool(f.unit) and not f.steady for f in self.figures)

    def value(self, id: str) -> float | None:
        """A figure's value; None when it is absent or too noisy to be used."""
        return next((f.value for f in self.figures if f.id == id and f.steady), None)

    def summary(self) -> dict[str, Any]:
        """What a run's record keeps of it: the figures that are steady, by id."""
        figures = {
            f.id: {"value": f.value, "unit": f.unit, "spread": f.spread}
            for f in self.figures
            if f.steady
        }
        return {"measured": self.measured, "figures": figures}


def judge(id: str, name: str, value: float, unit: str, spread: float, why: str) -> Figure:
    """A figure that says its value where the spread allows it."""
    steady = spread <= _LIMITS.get(id.partition(".")[0], _LIMIT)
    text = f"{number(value)} {unit}" if unit != "ns" or value < 1000 else duration(value)
    if not steady:
        percent = f"{100 * spread:.0f} %" if spread < 10 else "over 1000 %"
        text = f"too noisy to say (spread {percent}); try again on a quiet machine"
    return Figure(id, name, float(value), unit, float(spread), text, why, steady)


def best(
    id: str, name: str, trials: Sequence[float], unit: str, why: str, idle: float = 0.0
) -> Figure:
    """The best of some trials: the shortest time, or the highest rate.

    `idle` is how much of its time the best one was kept from running: as bad as any spread.
    """
    order = sorted(trials, reverse=unit != "ns")
    quarter = order[min(max(len(order) // 4, 1), len(order) - 1)]
    return judge(id, name, order[0], unit, max(abs(quarter - order[0]) / order[0], idle), why)


def percentiles(id: str, name: str, late_ns: Sequence[float], why: str) -> Iterator[Figure]:
    """The p50 of some times, and the p99 where there are the hundred that it takes."""
    order = sorted(late_ns)
    for percent in (50, 99) if len(order) >= 100 else (50,):
        share = percent / 100
        at = math.ceil(len(order) * share) - 1
        step = round(math.sqrt(len(order) * share * (1 - share)))
        # Python itself takes a microsecond or two: what is below five is known well enough.
        low, high = (
            max(order[min(max(i, 0), len(order) - 1)], 5000) for i in (at - step, at + step)
        )
        spread = (high / low - 1) / 2
        yield judge(f"{id}.p{percent}", f"{name}, p{percent}", order[at], "ns", spread, why)


def binary(count: int) -> str:
    """A size as caches come: "32 KiB", "4 MiB"."""
    return f"{count >> 20} MiB" if count >= 1 << 20 else f"{count >> 10} KiB"


def missing(id: str, name: str, text: str, why: str = "") -> Figure:
    """A figure that could not be measured, and what came in the way."""
    return Figure(id, name, 0.0, "", 0.0, text, why, steady=False)


def fingerprint() -> dict[str, str | int]:
    """What a card holds for: another processor, kernel, Python or compiler needs another card."""
    from importlib.metadata import PackageNotFoundError, version

    try:
        compiler = f"llvmlite {version('llvmlite')}"
    except PackageNotFoundError:
        compiler = "none"
    return {**machine_facts(), "compiler": compiler, "card": _FORMAT}


def cached() -> Card | None:
    """The card that is kept of this machine; None where there is none, or none that is whole."""
    try:
        kept = json.loads((cache_folder() / "machine.json").read_text(encoding="utf-8"))
        if kept["fingerprint"] != fingerprint():
            return None
        figures = [Figure(**figure) for figure in kept["figures"]]
        curve = [(int(size), float(ns)) for size, ns in kept["curve"]]
        kinds = Figure.__annotations__.items()
        if not all(type(getattr(f, n)).__name__ == kind for f in figures for n, kind in kinds):
            return None
        kept |= {"figures": figures, "curve": curve, "measured": str(kept["measured"])}
        return Card(**kept)
    except (OSError, RuntimeError, ValueError, TypeError, KeyError, AttributeError):
        return None  # it is only kept to save time: measuring anew is always right


def store(card: Card) -> Path:
    """Keep a card, and its page beside it; return the path of the page.

    Raises:
        GuideError: when the folder for it cannot be written.
    """
    from guide.ceilings.page import render
    from guide.record import write_atomically

    text, page = json.dumps(asdict(card), allow_nan=False), render(card)
    try:
        folder = cache_folder()
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / "machine.json", lambda out: out.write(text))
        write_atomically(folder / "machine.html", lambda out: out.write(page))
    except (OSError, RuntimeError) as error:
        raise GuideError(
            f"the machine card could not be kept: {error}",
            "set XDG_CACHE_HOME to a folder that can be written",
        ) from None
    return folder / "machine.html"


def cache_folder() -> Path:
    """Where this user's programs keep what they can make again. RuntimeError without a home."""
    named = os.environ.get("XDG_CACHE_HOME", "")
    if Path(named).is_absolute():  # the specification ignores any other
        return Path(named) / "guide"
    if sys.platform == "win32":
        return Path(os.environ.get("LOCALAPPDATA") or Path.home() / "AppData/Local") / "guide"
    return Path.home() / ("Library/Caches" if sys.platform == "darwin" else ".cache") / "guide"
