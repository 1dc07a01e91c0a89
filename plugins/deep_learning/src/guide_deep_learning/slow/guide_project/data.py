"""What it learns from: the corpus, the batch of each step, and what it is judged by."""

from __future__ import annotations

from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from guide_deep_learning.training.data.batches import choices, spread_windows, window_starts
from guide_deep_learning.training.data.corpus import Corpus, open_corpus

from .options import Options

EVAL_WINDOWS = 128
DOCUMENT = 49_152  # bytes of the corpus that are read as one


class Data:
    """Batches by number, and always the same held-out windows."""

    def __init__(self, options: Options, project: Path, seed: int) -> None:
        source = options.corpus
        own = [project / "runs", project / "checkpoints"]  # what it wrote itself teaches nothing
        self.corpus: Corpus = open_corpus(source, base=project, without=own)
        self.options = options
        self.seed = seed
        self.number_of = {chr(number): number for number in range(256)}
        self.held_out = spread_windows(self.corpus.held_out, EVAL_WINDOWS, options.context)
        self.prompt = b"def " if source == "stdlib" else b"\n"  # what a sample begins with

    def batch(self, step: int) -> NDArray[np.uint8]:
        """The windows of one step, the same ones whenever they are asked for."""
        o = self.options
        self.corpus.check()  # a file that is mapped may change meanwhile
        places = choices(self.corpus.train, o.context)
        return np.stack([self.sample(at) for at in window_starts(self.seed, step, o.batch, places)])

    def sample(self, at: int) -> NDArray[np.uint8]:
        """The window that begins at byte `at`: a piece of its document."""
        first = at - at % DOCUMENT
        document = self.read(first)
        numbers = [self.number_of[letter] for letter in document]
        return np.array(numbers[at - first : at - first + self.options.context + 1], dtype=np.uint8)

    def read(self, first: int) -> str:
        """The document that begins at byte `first`, and as much more as a window may need."""
        last = first + DOCUMENT + self.options.context
        return self.corpus.train[first:last].tobytes().decode("latin-1")

    def describe(self, step: int) -> str:
        """Which windows those were, for the message when the loss is no number."""
        o = self.options
        places = choices(self.corpus.train, o.context)
        first = window_starts(self.seed, step, o.batch, places)[:3].tolist()
        return f"seed {self.seed}, {o.batch} windows, the first at bytes {first}"
