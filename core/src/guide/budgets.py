"""Budgets of a run: so many joules, so many bytes, so much time, and then it stops."""

from __future__ import annotations

from collections.abc import Iterable, Sequence
from dataclasses import asdict, dataclass
from typing import Any, Literal

from guide.energy import total_energy
from guide.errors import UsageError
from guide.meter import Reading, summed
from guide.units import percent, quantity

WARN_AT = 0.8


@dataclass(frozen=True, slots=True)
class Budget:
    """How much a run may use."""

    name: str  # "energy", "memory", "time"
    limit: float
    unit: str  # "J", "B", "s"


@dataclass(slots=True)
class _Account:
    """How far a budget is used up; its fields are those of `budgets` in run.json."""

    name: str
    limit: float
    unit: str
    used: float = 0.0
    low: float | None = None  # between these, where it is not known exactly
    high: float | None = None
    source: str = ""
    state: Literal["kept", "warned", "spent"] = "kept"

    def update(self, readings: Sequence[Reading], elapsed_s: float) -> bool:
        """Note what was used. False when nothing measured it."""
        used: Sequence[Reading]
        if self.name == "time":
            used = [Reading("time", elapsed_s, "s", "total", "clock")]
        elif self.name == "energy":
            used = list(total_energy(readings).values())
        else:
            # What all hold at one instant, or what this process alone once held: both were needed.
            now = [r for r in readings if r.name in ("memory", "memory.children")]
            peak = [r for r in readings if r.name == "memory.peak"]
            used = max(now, peak, key=lambda found: sum(r.value for r in found))
        if used:
            total = summed(self.name, used, " + ".join(r.source for r in used))
            self.used = max(self.used, total.value)
            self.low, self.high, self.source = total.low, total.high, total.source
        return bool(used)

    def verdict(self) -> str:
        """The line to say now; empty when there is nothing new."""
        least = self.used if self.low is None else self.low
        most = self.used if self.high is None else self.high
        amount, sure = quantity(least, self.unit), ""
        if most > least:
            amount += f" to {quantity(most, self.unit)} ({self.source})"
            sure = "maybe "
        said = f"{self.name}: {amount} of {quantity(self.limit, self.unit)}"
        if least >= self.limit and self.state != "spent":
            self.state = "spent"
            return f"{said}, the budget is spent"
        if most >= WARN_AT * self.limit and self.state == "kept":
            self.state = "warned"
            return f"{said}, {sure}{percent(most, self.limit)} of the budget"
        return ""


class Budgets:
    """Watches what a run uses, warns at 80 % of a budget, and says when to stop.

    What is known only between bounds warns when its high end reaches 80 %, since the budget may
    then be nearly spent and a warning costs nothing; it is spent when its low end reaches the
    limit. To stop on less would end a run over a guess, and end it for no reason on most machines.
    So a run may use more than its energy budget where energy is a model, and each line says so.

    Memory is what this process holds in RAM, with its children where a meter counts them, and its
    own peak since it began. Energy is summed over all sources that are there, measured and
    modelled: their bounds add up, and the source names all of them.

    Args:
        budgets: one of a name at most.
    """

    def __init__(self, budgets: Iterable[Budget]) -> None:
        self._accounts = [_Account(b.name, b.limit, b.unit) for b in budgets]
        self._lost: set[str] = set()

    def require(self, readings: Sequence[Reading]) -> None:
        """Make sure, before the run, that something measures each budget.

        Raises:
            UsageError: nothing does.
        """
        for account in self._accounts:
            if not account.update(readings, 0.0):
                typed = f"--{account.name}-budget"
                raise UsageError(f"{typed}: nothing here measures {account.name}", "leave it out")

    def check(self, readings: Sequence[Reading], elapsed_s: float) -> list[str]:
        """The lines to say now: one at 80 % of a budget, one at its end; mostly none.

        Args:
            readings: the newest, of all meters.
            elapsed_s: how long the run has taken.
        """
        lines = []
        for account in self._accounts:
            if not account.update(readings, elapsed_s) and account.name not in self._lost:
                self._lost.add(account.name)
                lines.append(f"{account.name}: nothing measures it any more, so no budget")
            lines.append(account.verdict())
        return [line for line in lines if line]

    @property
    def spent(self) -> str:
        """Why the run should stop: "memory budget"; empty while all budgets hold."""
        return next((f"{a.name} budget" for a in self._accounts if a.state == "spent"), "")

    def record(self) -> list[dict[str, Any]]:
        """Each budget as `run.json` holds it."""
        return [asdict(account) for account in self._accounts]
