"""Blocks against one long sine. No stopwatch."""

from fractions import Fraction
from types import ModuleType

import numpy as np

_RATE = 48_000
_AUDIBLE = 1e-6  # of full scale: 120 dB below it


def check(attempt: ModuleType) -> None:
    """Raise AssertionError with a sentence for the learner when something is not right yet."""
    for frequency in (440.0, 1000.5, 9876.5):
        tone = attempt.Tone(frequency, _RATE)
        first = 0
        for count in (1024, 1024, 1, 333, 4096):
            _compare(tone.block(count), frequency, first, count)
            first += count
    tone = attempt.Tone(440.1, _RATE)
    for _ in range(10_000):
        tone.block(7)
    _compare(tone.block(1024), 440.1, 70_000, 1024)


def _compare(block: object, frequency: float, first: int, count: int) -> None:
    assert isinstance(block, np.ndarray), f"a block is a numpy array, not {type(block).__name__}"
    assert block.shape == (count,), f"{count} samples wanted, the shape is {block.shape}"
    # Exact up to here: the first sample's place in its turn, by whole-number arithmetic.
    start = float(Fraction(frequency) * first / _RATE % 1)
    wanted = np.sin(2 * np.pi * (start + frequency / _RATE * np.arange(count)))
    off = np.abs(block - wanted)
    worst = int(off.argmax())
    assert off[worst] < _AUDIBLE, (
        f"at {frequency:g} Hz sample {first + worst} is off by {off[worst]:.2g} "
        f"(sample {worst} of a block that begins at {first})"
    )
