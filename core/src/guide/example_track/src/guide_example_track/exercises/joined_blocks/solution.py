"""A tone, block by block: where it stopped is where it goes on."""

import numpy as np
import numpy.typing as npt


class Tone:
    """A sine of `frequency_hz`, sampled `rate_hz` times a second."""

    def __init__(self, frequency_hz: float, rate_hz: float) -> None:
        self.step = frequency_hz / rate_hz  # turns from one sample to the next
        self.turns = 0.0  # where the next block begins

    def block(self, count: int) -> npt.NDArray[np.float64]:
        """The next `count` samples, -1 to 1."""
        turns = self.turns + self.step * np.arange(count)
        # Whole turns are dropped: a number that grows for hours loses its last digits.
        self.turns = (self.turns + self.step * count) % 1.0
        return np.sin(2 * np.pi * turns)
