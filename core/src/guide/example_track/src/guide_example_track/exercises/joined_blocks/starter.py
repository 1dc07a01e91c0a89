"""A tone, block by block. Make its blocks join."""

import numpy as np
import numpy.typing as npt


class Tone:
    """A sine of `frequency_hz`, sampled `rate_hz` times a second."""

    def __init__(self, frequency_hz: float, rate_hz: float) -> None:
        self.step = frequency_hz / rate_hz  # turns from one sample to the next

    def block(self, count: int) -> npt.NDArray[np.float64]:
        """The next `count` samples, -1 to 1."""
        turns = self.step * np.arange(count)
        return np.sin(2 * np.pi * turns)
