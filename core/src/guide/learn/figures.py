"""Living figures: measured once where they are read, kept with the machine's ceilings.

Beside what is measured here stands what the author measured, which ships with the section. A
reader who has not measured yet sees the author's, marked as such.
"""

from __future__ import annotations

import json
from collections.abc import Mapping
from dataclasses import asdict, dataclass
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from guide.ceilings.card import cache_folder, fingerprint
from guide.errors import GuideError
from guide.learn.chart import Chart
from guide.plugin import Figure, Section, load
from guide.units import duration, number, size

_UNITS = {"gbs": "GB/s", "mbs": "MB/s", "gflops": "GFLOP/s", "mj": "mJ", "ratio": "", "count": ""}


@dataclass(frozen=True, slots=True)
class Measured:
    """What a figure's `measure` found.

    Attributes:
        machine: processor and threads; names nobody and no place.
        when: UTC, as ISO date and time.
        data: as `measure` returned it.
        fingerprint: machine and tools; another one asks for another measurement.
    """

    machine: str
    when: str
    data: Mapping[str, Any]
    fingerprint: Mapping[str, Any]


def figures_of(sections: list[Section]) -> dict[str, Figure]:
    """Every figure that `sections` bring, by name.

    Raises:
        GuideError: when two different ones have the same name.
    """
    found: dict[str, Figure] = {}
    for section in sections:
        for figure in section.figures:
            if found.setdefault(figure.name, figure) != figure:
                message = f"{section.id} brings another figure {figure.name!r}"
                raise GuideError(message, "give one of them another name")
    return found


def measure(figure: Figure, quick: bool = False) -> Measured:
    """Measure `figure` here and now, and keep what was found unless it was `quick`.

    Raises:
        GuideError: when it cannot be measured here; says why.
    """
    try:
        data = load(figure.measure)(quick=quick)
    except ImportError as error:
        package = error.name or "a package"
        remedy = f"pip install {package}" if error.name else ""
        raise GuideError(f"not measured: {package} is not installed", remedy) from None
    facts = fingerprint()
    machine = f"{facts['processor']}, {facts['threads']} threads"
    now = datetime.now(UTC).isoformat(timespec="seconds")
    found = Measured(machine, now, json.loads(json.dumps(data, allow_nan=False)), facts)
    if not quick:
        _keep(figure, found)
    return found


def kept(figure: Figure) -> Measured | None:
    """What was measured on this machine; None where nothing was, or with other tools."""
    try:
        found = _read(_file(figure))
        return found if found.fingerprint == fingerprint() else None
    except (OSError, RuntimeError, GuideError):
        return None  # it is only kept to save time: measuring anew is always right


def example(figure: Figure) -> Measured:
    """What the author measured.

    Raises:
        GuideError: when the file is missing or is none.
    """
    try:
        return _read(figure.example)
    except OSError:
        message = f"figure {figure.name} has no example: {figure.example} is missing"
        raise GuideError(message, "guide read SECTION --write-examples") from None


def write_example(figure: Figure, found: Measured) -> None:
    """Ship `found` with the section, as the author's."""
    figure.example.parent.mkdir(parents=True, exist_ok=True)
    text = json.dumps(asdict(found), indent=1)
    figure.example.write_text(text + "\n", encoding="utf-8")


def draw(figure: Figure, found: Measured) -> Chart:
    """The chart of what was found.

    Raises:
        GuideError: when it does not fit the figure, such as one kept by an older version.
    """
    try:
        chart: Chart = load(figure.draw)(found.data)
    except (KeyError, TypeError, ValueError, IndexError) as error:
        message = f"figure {figure.name} cannot be drawn: {type(error).__name__}: {error}"
        raise GuideError(message, "guide read SECTION --again measures anew") from None
    return chart


def value(figure: Figure, found: Measured, key: str) -> str:
    """One of its numbers as a sentence takes it: "81 ns", "3.4 times".

    Raises:
        GuideError: when it has no such number.
    """
    numbers = found.data.get("values", {})
    if key not in numbers:
        known = ", ".join(numbers) or "none"
        raise GuideError(f"figure {figure.name} has no value {key!r}", f"it has: {known}")
    return said(float(numbers[key]), key.rpartition("_")[2])


def said(amount: float, unit: str) -> str:
    """A number with the unit that a name ends in.

    >>> said(81.2, "ns"), said(1.02, "x"), said(4096, "bytes"), said(12, "gbs"), said(7, "count")
    ('81 ns', '1.0 times', '4.10 kB', '12 GB/s', '7')
    """
    if unit == "ns":
        return f"{_two(amount)} ns" if amount < 100 else duration(amount)
    if unit == "x":
        return f"{_two(amount)} times"
    if unit == "bytes":
        return size(amount)
    if unit == "percent":
        return f"{amount:.0f} %" if amount >= 10 else f"{amount:.2g} %"
    amount = amount if amount == int(amount) else float(f"{amount:.3g}")
    return f"{number(amount)} {_UNITS.get(unit, unit)}".rstrip()


def _two(amount: float) -> str:
    """Two figures, the second also where it is a zero: a figure is "1.0" for a reason."""
    return f"{amount:.1f}" if 1 <= amount < 10 else number(float(f"{amount:.2g}"))


def _file(figure: Figure) -> Path:
    return cache_folder() / "figures" / f"{figure.name}.json"


def _read(file: Path) -> Measured:
    try:
        read = json.loads(file.read_text(encoding="utf-8"))
        found = Measured(**read)
        if not isinstance(found.data, dict):
            raise TypeError("its data is no object")
    except (ValueError, TypeError) as error:
        raise GuideError(f"{file} is no measurement of a figure: {error}") from None
    return found


def _keep(figure: Figure, found: Measured) -> None:
    from guide.record import write_atomically

    text = json.dumps(asdict(found))
    try:
        file = _file(figure)
        file.parent.mkdir(parents=True, exist_ok=True)
        write_atomically(file, lambda out: out.write(text))
    except (OSError, RuntimeError):
        pass  # a reader with a full disk still sees what was measured
