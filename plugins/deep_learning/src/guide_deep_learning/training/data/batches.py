"""Batches as a pure function of (seed, step).

A loader that walks through its data has a position, and a restart must restore it: the queue,
the shuffle, every worker's random state. Here there is no position. Philox is a counter-based
generator: block k of its stream is computed from (key, k) directly, so that the batch of step
40,000 costs as much as that of step 0 and is the same batch in any process, on any day.

See Salmon et al., "Parallel random numbers: as easy as 1, 2, 3" (2011).
"""

from __future__ import annotations

import numpy as np
from numpy.random import Philox
from numpy.typing import NDArray

from guide.errors import GuideError


def window_starts(seed: int, step: int, count: int, choices: int) -> NDArray[np.int64]:
    """Where the `count` windows of a step begin: integers in 0 to choices - 1.

    The seed is the key and the step the counter's second word. They never mix: (seed 1, step 2)
    and (seed 2, step 1) share nothing, which `default_rng(seed + step)` cannot say of itself.
    """
    # The raw words: numpy promises that a bit generator's stream stays the same from version
    # to version, and promises no such thing of Generator.integers.
    key = np.array([seed % 2**64, 0], dtype=np.uint64)
    words = Philox(key=key, counter=[0, step, 0, 0]).random_raw(count)
    return (words % np.uint64(choices)).astype(np.int64)  # bias below choices / 2**64


def windows(
    data: NDArray[np.uint8], seed: int, step: int, batch: int, context: int
) -> NDArray[np.uint8]:
    """The batch of one step: `batch` windows of `context` + 1 bytes, as (batch, context + 1).

    Inputs are `[:, :-1]`, targets `[:, 1:]`.

    Raises:
        GuideError: when `data` is shorter than one window.
    """
    return _take(data, window_starts(seed, step, batch, choices(data, context)), context)


def spread_windows(data: NDArray[np.uint8], count: int, context: int) -> NDArray[np.uint8]:
    """The same `count` windows every time, evenly spread over `data`: what to evaluate on."""
    last = choices(data, context) - 1
    return _take(data, np.linspace(0, last, count).astype(np.int64), context)


def choices(data: NDArray[np.uint8], context: int) -> int:
    """At how many places a window of `context` + 1 bytes can begin.

    Raises:
        GuideError: when there is none.
    """
    places = len(data) - context
    if places < 1:
        raise GuideError(
            f"{len(data)} bytes of text do not hold one window of {context + 1}",
            "lower --set context=..., or point --set corpus=PATH at more text",
        )
    return places


def _take(data: NDArray[np.uint8], starts: NDArray[np.int64], context: int) -> NDArray[np.uint8]:
    taken: NDArray[np.uint8] = data[starts[:, None] + np.arange(context + 1)]
    return taken
