"""Frames that are copied on their way: their addresses, from the source to the consumer."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.apart import run
from benchmarks.rows import Row
from benchmarks.vision.clip import clip
from benchmarks.vision.scale import Scale


def rows(scale: Scale) -> Iterator[Row]:
    """One row. A pickled frame is copied twice for each queue it goes through."""
    found = run("vision.ours:copies", clip=str(clip(scale.height)), frames=scale.frames)
    moved = found["moved"] + found["reallocated"]
    ours = f"{moved} of {found['frames']}; all in {found['addresses']} of {found['slots']} slots"
    ok = not moved and found["addresses"] <= found["slots"]
    yield Row("frames copied between stages", ours, "queue threads 0, pickles all", None, "0", ok)
