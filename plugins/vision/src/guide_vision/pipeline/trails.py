"""Where things were in the last frames, as one array: no loop over things, no object for each."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from guide_vision.pipeline.frame import Points


class Trails:
    """The last positions of each thing, by its id.

    Args:
        length: positions to keep for each.
    """

    def __init__(self, length: int) -> None:
        self._length = length
        self._ids = np.zeros(0, np.int64)
        self._history = np.zeros((0, length, 2), np.float32)

    def update(self, ids: npt.NDArray[np.int64], points: Points) -> npt.NDArray[np.float32]:
        """Add the positions of one frame; who is not in it is forgotten.

        Args:
            ids: N, each once.
            points: N x 2.

        Returns:
            N x length x 2, newest first. A young trail stands still at its start.
        """
        history = np.repeat(points[:, None], self._length, axis=1)
        _, before, now = np.intersect1d(self._ids, ids, assume_unique=True, return_indices=True)
        history[now, 1:] = self._history[before, :-1]
        self._ids, self._history = ids, history
        return history
