"""A figure of saving: which part of it a training has to wait for."""

from __future__ import annotations

import hashlib
import io
import os
import tempfile
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from guide_deep_learning.figures.alone import threads


def parts(quick: bool = False) -> dict[str, Any]:
    """The parts of saving a state: weights and two moments of each."""
    import torch

    from guide_deep_learning.training.checkpointing.saving import Snapshot

    count = 10_000 if quick else 1_000_000
    state = {name: torch.randn(count) for name in ("weights", "mean", "square")}
    snapshot, written = Snapshot(), io.BytesIO()
    torch.save(state, written)
    content = written.getvalue()
    # One thread: those of a copy would spin for each other, which is another figure.
    with threads(1), tempfile.TemporaryDirectory(prefix="guide-save-") as folder:
        file = Path(folder) / "state"

        def write() -> None:
            file.write_bytes(content)

        def force() -> None:
            with file.open("r+b") as opened:
                os.fsync(opened.fileno())

        found = {
            "copy in memory": _each(lambda: snapshot.take(state), quick),
            "turn into bytes": _each(lambda: torch.save(state, io.BytesIO()), quick),
            "sum over them": _each(lambda: hashlib.sha256(content).digest(), quick),
            "write": _each(write, quick),
            "force to the disk": _each(force, quick, first=write),
        }
    whole = sum(found.values()) - found["copy in memory"]
    return {
        "what": f"to save {len(content) / 1e6:.0f} MB, shorter is better",
        "log": True,
        "rows": list(found.items()),
        "values": {
            "state_bytes": len(content),
            "copy_ns": found["copy in memory"],
            "disk_ns": found["force to the disk"],
            "whole_ns": whole,
            "whole_x": whole / found["copy in memory"],
        },
    }


def _each(
    call: Callable[[], object], quick: bool, first: Callable[[], object] = lambda: None
) -> float:
    """The shortest time of `call` in ns; `first` comes before each and is not timed."""
    first()
    call()
    times = []
    for _ in range(1 if quick else 7):
        first()
        began_ns = time.perf_counter_ns()
        call()
        times.append(time.perf_counter_ns() - began_ns)
    return float(min(times))
