"""A convolution, for each thread one output: everybody fetches everything."""

from collections.abc import Generator
from typing import Any

PADDING = 0
"""Zeros that are put before and behind the signal."""


def convolve(t: Any, signal: Any, weights: tuple[int, ...], out: Any) -> Generator[Any, Any, None]:
    """out[i] is the sum of weights[k] * signal[i + k - 16], for k from 0 to 32.

    Args:
        t: the thread.
        signal: what is loaded from; beyond its ends it counts as 0.
        weights: 33 of them.
        out: what is stored to.
    """
    radius = len(weights) // 2
    total = 0
    for k, weight in enumerate(weights):
        at = t.id + k - radius
        if 0 <= at < len(signal):
            x = yield signal.load(at)
            total += weight * x
    yield out.store(t.id, total)
