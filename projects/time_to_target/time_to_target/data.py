"""The text, its batches by number, and always the same held-out windows."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from guide_deep_learning.training.data.batches import spread_windows, windows
from guide_deep_learning.training.data.corpus import Corpus, open_corpus

VOCABULARY = 128
CONTEXT = 128
BATCH = 12
EVAL_WINDOWS = 128


class Data:
    """Windows of 128 bytes, 12 to a step.

    The standard library has a few hundred bytes that are no ASCII, among ten million, and none of
    them is in what is held out. All of them become one, 127, so that the model has 128 rows to
    learn on any Python.
    """

    def __init__(self, source: str, project: Path, seed: int) -> None:
        own = [project / "runs", project / "checkpoints"]
        self.corpus: Corpus = open_corpus(source, base=project, without=own)
        self.seed = seed
        self._train = np.minimum(self.corpus.train, VOCABULARY - 1)
        held_out = np.minimum(self.corpus.held_out, VOCABULARY - 1)
        self.held_out = spread_windows(held_out, EVAL_WINDOWS, CONTEXT)

    def batch(self, step: int) -> NDArray[np.uint8]:
        """The windows of one step, the same ones whenever they are asked for."""
        return windows(self._train, self.seed, step, BATCH, CONTEXT)
