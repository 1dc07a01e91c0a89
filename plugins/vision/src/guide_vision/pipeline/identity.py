"""Give boxes an identity that lasts: which box of this frame is which box of the one before.

Greedy and short on purpose: each thing is expected where its velocity takes it, the nearest
pairs are matched first, and nothing further than a gate away is matched at all.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guide_vision.pipeline.frame import Boxes


@dataclass(slots=True)
class _Track:
    id: int
    box: npt.NDArray[np.float32]
    velocity: npt.NDArray[np.float32]
    seen: int = 1  # frames in which it was found
    missed: int = 0  # frames in a row in which it was not


class Identity:
    """Ids for boxes, by constant velocity and greedy matching.

    Args:
        confirm: frames in a row a new box must be seen in before it is reported.
        forget: frames a confirmed one may be out of sight.
        gate: how far from where it is expected it may be, in units of its own diagonal.
    """

    def __init__(self, confirm: int = 4, forget: int = 10, gate: float = 0.6) -> None:
        self._confirm = confirm
        self._forget = forget
        self._gate = gate
        self._tracks: list[_Track] = []
        self._next_id = 0

    def update(self, boxes: Boxes) -> tuple[npt.NDArray[np.int64], Boxes]:
        """Match the boxes of the next frame.

        Args:
            boxes: N x 4, in any order.

        Returns:
            Ids and boxes, M and M x 4, of the confirmed things that are in this frame.
        """
        free = set(range(len(boxes)))
        matched: set[int] = set()
        for t, b in self._pairs(boxes):
            if t not in matched and b in free:
                matched.add(t)
                free.discard(b)
                self._advance(self._tracks[t], boxes[b])
        kept = []
        for t, track in enumerate(self._tracks):
            if t not in matched:
                track.missed += 1
                track.box[:2] += track.velocity
            # One that was never confirmed gets no second chance: it was a flicker
            allowed = self._forget if track.seen >= self._confirm else 0
            if track.missed <= allowed:
                kept.append(track)
        for b in sorted(free):
            kept.append(_Track(-1, boxes[b].copy(), np.zeros(2, np.float32)))
        self._tracks = kept
        shown = [k for k in kept if k.seen >= self._confirm and not k.missed]
        for track in shown:
            if track.id < 0:
                track.id, self._next_id = self._next_id, self._next_id + 1
        ids = np.array([k.id for k in shown], np.int64)
        return ids, np.array([k.box for k in shown], np.float32).reshape(-1, 4)

    def _pairs(self, boxes: Boxes) -> list[tuple[int, int]]:
        """Pairs of track and box within the gate, nearest first."""
        if not (self._tracks and len(boxes)):
            return []
        old = np.array([k.box for k in self._tracks])
        expected = old[:, :2] + np.array([k.velocity for k in self._tracks]) + old[:, 2:] / 2
        centres = boxes[:, :2] + boxes[:, 2:] / 2
        apart = np.linalg.norm(expected[:, None] - centres[None], axis=2)
        size = np.maximum.outer(np.hypot(old[:, 2], old[:, 3]), np.hypot(boxes[:, 2], boxes[:, 3]))
        relative = apart / size
        order = np.argsort(relative, axis=None)
        near = order[relative.ravel()[order] < self._gate]
        return [divmod(int(k), len(boxes)) for k in near]

    @staticmethod
    def _advance(track: _Track, box: npt.NDArray[np.float32]) -> None:
        moved = (box[:2] + box[2:] / 2) - (track.box[:2] + track.box[2:] / 2)
        # Smoothed: the edges of a blob jump by a pixel or two in every frame
        track.velocity = (0.7 * track.velocity + 0.3 * moved / (track.missed + 1)).astype(
            np.float32
        )
        track.box[:] = box
        track.seen += 1
        track.missed = 0
