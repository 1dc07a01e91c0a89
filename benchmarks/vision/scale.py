"""How long everything is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Lengths of all parts."""

    rounds: int = 6  # of all variants
    frames: int = 240  # of a variant in a round
    warm_up: int = 60
    segment_s: float = 15.0  # of a live run
    segments: int = 3  # of each side
    lag_s: float = 15.0  # a consumer that is too slow
    frozen_s: float = 40.0  # how long a peer may stay frozen before we look no longer
    reconnects: int = 30
    minutes: float = 1.0  # of a live run whose memory is watched
    height: int = 720  # of the clip
    verbose: bool = False  # say on stderr what is under way


QUICK = Scale(
    rounds=2, frames=60, warm_up=30, segment_s=4, segments=1, lag_s=6, frozen_s=0,
    reconnects=5, minutes=0.15, verbose=True,
)  # fmt: skip
LONG = Scale(rounds=10, segment_s=50, segments=6, lag_s=30, reconnects=100, minutes=10)
