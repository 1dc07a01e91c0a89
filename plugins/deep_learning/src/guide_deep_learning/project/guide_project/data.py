"""What it learns from: the corpus, the batch of each step, and what it is judged by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from guide_deep_learning.training.data.batches import (
    choices,
    spread_windows,
    window_starts,
    windows,
)
from guide_deep_learning.training.data.corpus import Corpus, open_corpus

from .options import Options

EVAL_WINDOWS = 128


class Data:
    """Batches by number, and always the same held-out windows."""

    def __init__(self, options: Options, project: Path, seed: int) -> None:
        source = options.corpus
        own = [project / "runs", project / "checkpoints"]  # what it wrote itself teaches nothing
        self.corpus: Corpus = open_corpus(source, base=project, without=own)
        self.options = options
        self.seed = seed
        self.held_out = spread_windows(self.corpus.held_out, EVAL_WINDOWS, options.context)
        self.prompt = b"def " if source == "stdlib" else b"\n"  # what a sample begins with

    def batch(self, step: int) -> NDArray[np.uint8]:
        """The windows of one step, the same ones whenever they are asked for."""
        o = self.options
        self.corpus.check()  # a file that is mapped may change meanwhile
        return windows(self.corpus.train, self.seed, step, o.batch, o.context)

    def describe(self, step: int) -> str:
        """Which windows those were, for the message when the loss is no number."""
        o = self.options
        places = choices(self.corpus.train, o.context)
        first = window_starts(self.seed, step, o.batch, places)[:3].tolist()
        return f"seed {self.seed}, {o.batch} windows, the first at bytes {first}"
