"""What one run says of its rung: read from its record, `run.json`."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any


@dataclass(frozen=True)
class Climb:
    """One rung, climbed.

    `joules` are low and high: the same where they were measured, bounds where they are of a model.
    """

    rung: str
    adds: str
    steps: int
    seconds: float  # of the steps alone
    cpu_s: float
    joules: tuple[float, float] | None
    source: str  # of the joules
    parameters: int


def climbed(record: Mapping[str, Any]) -> Climb | None:
    """The climb that a run's record tells of; None where the target was not reached.

    The meter of energy is of the whole run: loading torch and looking at the held-out text, too.
    What the steps took of it is taken to be their share of the CPU time.
    """
    facts = record["facts"]
    if "steps to target" not in facts:
        return None
    totals = {total["name"]: total for total in record["usage"]["totals"]}
    cpu_s = float(facts["CPU seconds of steps"])
    energy, joules, source = totals.get("energy.cpu"), None, ""
    if energy and totals["cpu"]["value"]:
        share = cpu_s / totals["cpu"]["value"]
        bounds = [energy[k] if energy[k] is not None else energy["value"] for k in ("low", "high")]
        joules, source = (share * bounds[0], share * bounds[1]), energy["source"]
    name, _, adds = facts["rung"].partition(": ")
    return Climb(
        name,
        adds,
        int(facts["steps to target"]),
        float(facts["seconds of steps"]),
        cpu_s,
        joules,
        source,
        int(facts["parameters"]),
    )
