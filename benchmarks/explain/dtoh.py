"""The profiler says DtoH: the copy that is a wait, the wait that costs, the copy that costs.

For a machine with a GPU; elsewhere one row says that there is none. Each program is profiled with
its fault, and what is promised is held against what leaving it out gives, as with the planted ones.
"""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path

from benchmarks.explain.planted import NEAR, profiled, timed_ns, worth_mending
from benchmarks.rows import Row, paired
from guide.plugins import Plugins

_KINDS = (
    ("long", "a copy that is a wait, and costs nothing", ()),
    ("short", "a wait after which the GPU stands idle", (".item() stall",)),
    ("large", "a copy that costs", ("exposed copies to the host", "a copy that is a wait")),
)


def rows(quick: bool = False) -> Iterator[Row]:
    """A row for each of the three, with the device's name."""
    import torch

    if not torch.cuda.is_available():
        yield Row("DtoH: a GPU's copies and waits", "no GPU here", "", None, "", None)
        return
    device = torch.cuda.get_device_name()
    for kind, what, titles in _KINDS:
        yield _row(kind, f"{what}, on {device}", titles, 2 if quick else 7)


def _row(kind: str, what: str, titles: tuple[str, ...], rounds: int) -> Row:
    option = f"--{kind}"
    with tempfile.TemporaryDirectory() as folder:
        trace = profiled("readback", Path(folder), "--fault", option)
        found = worth_mending(trace, Plugins())
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        times[0].append(timed_ns("readback", "--fault", option))
        times[1].append(timed_ns("readback", option))
    with_ns, without_ns, ratio, spread = paired(*times)
    gives = 1 - 1 / ratio
    first = found[0] if found else None
    promised = first.recoverable_ns / trace.unwatched_ns if first and first.title in titles else 0.0
    if titles:
        ok = bool(promised) and abs(promised / gives - 1) <= NEAR
    else:
        ok = not any("copy" in each.title or "item" in each.title for each in found)
    return Row(
        f"DtoH: {what} ({without_ns / 1e6:.3g} ms without, {with_ns / 1e6:.3g} with)",
        f"{promised:.0%} of a step promised",
        f"{gives:.0%} given",
        promised / gives if titles and gives > 0 else None,
        "named, 0.75 to 1.25" if titles else "not blamed",
        ok,
        f"named {first.title if first else 'nothing'}; times {spread}",
    )
