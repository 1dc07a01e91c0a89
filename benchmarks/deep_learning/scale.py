"""How long everything is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Lengths of all parts."""

    rounds: int = 41  # pairs of ours and a peer
    kills: int = 100  # of a training that goes on after each
    seconds: float = 10.0  # of one measurement of throughput
    quick: bool = False  # only to see that it runs: no goal is judged by it


QUICK = Scale(rounds=7, kills=5, seconds=2.0, quick=True)
