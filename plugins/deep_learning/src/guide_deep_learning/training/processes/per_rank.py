"""How each rank of a training did, in one table for rank 0's report."""

from __future__ import annotations

import os
from collections.abc import Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from guide.loop import Loop
from guide.timing import SpanColumns
from guide.units import duration, size
from guide_deep_learning.training.processes.communication import Communication
from guide_deep_learning.training.processes.distributed import World

_PHASES = ("data", "forward", "backward")


@dataclass(frozen=True, slots=True)
class RankSummary:
    """The steps of one rank; times are medians over its steps unless they are called p99.

    `exposed_ns` is -1 where it was not measured.
    """

    rank: int
    host: str  # its number among the hosts: a record holds no names
    steps: int
    step_ns: int
    step_p99_ns: int
    data_ns: int
    forward_ns: int
    backward_ns: int
    exposed_ns: int
    sent_bytes: int  # payload of a step


def summarise(world: World, loop: Loop, communication: Communication | None) -> RankSummary:
    """What this rank says of itself, once its loop has ended; the newest steps that are held."""
    log = loop.log.columns()
    took = log.end_ns - log.start_ns
    columns = loop.timeline.columns()
    data_ns, forward_ns, backward_ns = (_median(_by_tick(columns, name)) for name in _PHASES)
    waits = communication.add_exposed()[:, 2] if communication else np.empty(0, np.int64)
    sent = communication.sent_bytes if communication else 0
    return RankSummary(
        world.rank,
        os.environ.get("GROUP_RANK", "0"),
        loop.log.count,
        _median(took),
        int(np.percentile(took, 99)) if took.size else 0,
        data_ns,
        forward_ns,
        backward_ns,
        _median(waits) if waits.size else -1,
        sent // max(loop.log.count, 1),
    )


def table(ranks: Sequence[RankSummary]) -> str:
    """One line for each rank, as text of fixed width."""
    head = ("rank", "host", "steps", "step p50", "p99", *_PHASES, "exposed", "sent a step")
    lines: list[tuple[str, ...]] = [head]
    for r in ranks:
        times = (r.step_ns, r.step_p99_ns, r.data_ns, r.forward_ns, r.backward_ns)
        waited = duration(r.exposed_ns) if r.exposed_ns >= 0 else "-"
        counts = (str(r.rank), r.host, str(r.steps))
        lines.append((*counts, *map(duration, times), waited, size(r.sent_bytes)))
    widths = [max(map(len, column)) for column in zip(*lines, strict=True)]
    return "\n".join(
        "  ".join(cell.rjust(width) for cell, width in zip(line, widths, strict=True))
        for line in lines
    )


def facts(ranks: Sequence[RankSummary]) -> dict[str, int | float]:
    """What a diagnosis asks for: see `diagnoses.communication_bound`.

    The least exposed time of all ranks is the network's; what the others waited longer, they
    waited for the slowest rank.
    """
    said: dict[str, int | float] = {"ranks": len(ranks), "hosts": len({r.host for r in ranks})}
    waits = [r.exposed_ns for r in ranks if r.exposed_ns >= 0]
    if waits:
        said["exposed communication ms"] = round(min(waits) / 1e6, 3)
        said["waiting for the slowest rank ms"] = round((max(waits) - min(waits)) / 1e6, 3)
    said["sent a step MB"] = round(max(r.sent_bytes for r in ranks) / 1e6, 3)
    return said


def _by_tick(columns: SpanColumns, name: str) -> NDArray[np.int64]:
    """How long the spans `name` took, in all, of each tick that has one."""
    if name not in columns.names:
        return np.empty(0, np.int64)
    of_name = (columns.name == columns.names.index(name)) & (columns.tick >= 0)
    ticks, where = np.unique(columns.tick[of_name], return_inverse=True)
    total = np.zeros(len(ticks), np.int64)
    np.add.at(total, where, (columns.end_ns - columns.start_ns)[of_name])
    return total


def _median(values: NDArray[np.int64]) -> int:
    return int(np.median(values)) if values.size else 0
