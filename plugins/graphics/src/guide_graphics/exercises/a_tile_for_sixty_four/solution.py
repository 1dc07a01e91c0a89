"""A convolution: the block fetches its neighbourhood once, then reads it from its tile."""

from collections.abc import Generator
from typing import Any

PADDING = 16
"""Zeros that are put before and behind the signal: at its ends nobody has to ask."""


def convolve(t: Any, signal: Any, weights: tuple[int, ...], out: Any) -> Generator[Any, Any, None]:
    """out[i] is the sum of weights[k] * signal[i + k - 16], for k from 0 to 32."""
    halo = len(weights) - 1
    tile = t.shared("tile", t.size + halo)
    x = yield signal.load(t.id)  # padded: this is 16 to the left of the output
    yield tile.store(t.index, x)
    if t.index < halo:  # 32 of them, which is a warp: all of it goes this way, or none
        x = yield signal.load(t.id + t.size)
        yield tile.store(t.index + t.size, x)
    yield t.barrier()  # what the others have put there
    total = 0
    for k, weight in enumerate(weights):
        x = yield tile.load(t.index + k)  # neighbours read neighbours: 32 different banks
        total += weight * x
    yield out.store(t.id, total)
