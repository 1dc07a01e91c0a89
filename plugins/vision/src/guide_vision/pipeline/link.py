"""What happens to a frame that comes while we are busy: it waits, or a newer one takes its place.

A plain `VideoCapture` loop decides nothing, so the socket and the driver fill up behind it, and
each frame is older than the one before. A link says what it does, and counts it.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Literal, TypeAlias

from guide_vision.pipeline.frame import Source


@dataclass(frozen=True, slots=True)
class Sample:
    """Every n-th frame, in order; the others are dropped where they come in, and counted."""

    n: int

    def __post_init__(self) -> None:
        """Refuse what is no sample."""
        if self.n < 1:
            raise ValueError(f"a sample takes every n-th frame, n from 1, not {self.n}")


Link: TypeAlias = Literal["lossless", "latest"] | Sample
"""`"lossless"`: every frame in order; while all slots are taken the source is not read.
`"latest"`: the source is read all the time, and what nobody fetched makes way for what is newer.
`Sample(n)`: every n-th, in order."""


def link_for(source: Source) -> Link:
    """The link that fits: what is live goes on without us, a file can wait."""
    return "latest" if source.live else "lossless"
