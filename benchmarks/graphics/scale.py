"""How much of everything is measured."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Scale:
    """Sizes and numbers of all parts."""

    size: tuple[int, int] = (1280, 720)
    detail: float = 1.0  # share of the triangles of generated meshes; below 1 no file is read
    views: int = 3  # of each scene, whose pictures are compared before anything is timed
    rounds: int = 40  # of one frame of each side
    limit_s: float = 10.0  # of those rounds: no more are begun then, but four there are
    blocks: int = 4  # of 16 frames without a sync between them
    peer_rounds: int = 7
    turn_s: float = 0.3  # how long each side of a peer's round draws, and one frame at least
    starts: int = 5  # with compiled code kept; one without
    verbose: bool = False  # say on stderr what is under way


QUICK = Scale(
    views=1, rounds=3, limit_s=1, blocks=1, peer_rounds=2, turn_s=0.15, starts=1, verbose=True
)
