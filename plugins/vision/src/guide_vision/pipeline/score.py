"""Hold boxes against the truth: how many were found, how many were not there."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from guide_vision.pipeline.frame import Boxes

_ENOUGH = 0.5  # overlap from which a box counts as found, as in PASCAL VOC


def overlap(boxes: Boxes, others: Boxes) -> npt.NDArray[np.float64]:
    """Intersection over union of each box with each other, N x M, 0 to 1."""
    low = np.maximum(boxes[:, None, :2], others[None, :, :2])
    high = np.minimum(
        boxes[:, None, :2] + boxes[:, None, 2:], others[None, :, :2] + others[None, :, 2:]
    )
    common = (high - low).clip(min=0).prod(axis=2).astype(np.float64)
    union = boxes[:, 2:].prod(axis=1)[:, None] + others[:, 2:].prod(axis=1)[None] - common
    result: npt.NDArray[np.float64] = common / np.maximum(union, 1e-9)
    return result


class BoxScore:
    """Counts over a run; each true box is found by at most one box, the best first."""

    def __init__(self) -> None:
        self.true = 0  # boxes there were, over all frames
        self.seen = 0  # boxes that were reported
        self.found = 0  # pairs of the two

    def add(self, seen: Boxes, true: Boxes) -> None:
        """Count the boxes of one frame, N x 4 and M x 4."""
        self.true += len(true)
        self.seen += len(seen)
        if not (len(seen) and len(true)):
            return
        quality = overlap(seen, true)
        while quality.max() >= _ENOUGH:
            row, column = np.unravel_index(int(quality.argmax()), quality.shape)
            quality[row], quality[:, column] = 0, 0
            self.found += 1

    @property
    def recall(self) -> float:
        """Share of the true boxes that were found; 0 when there were none."""
        return self.found / self.true if self.true else 0.0

    @property
    def precision(self) -> float:
        """Share of the reported boxes that were right; 0 when there were none."""
        return self.found / self.seen if self.seen else 0.0
