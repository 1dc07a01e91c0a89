"""Where blocks come from. Replace: your microphone, camera, socket, file, simulation.

This one makes its samples, so it runs on any machine, comes out the same for the same seed, and
knows what the analysis should find.
"""

import numpy as np
import numpy.typing as npt

Block = npt.NDArray[np.float32]

LOW_HZ, HIGH_HZ = 200.0, 3600.0


class Sweep:
    """A tone that glides up and down, in noise.

    Args:
        sample_rate: samples a second.
        block: samples of one block.
        tone_db, noise_db: levels, in dB below a sine of full scale.
        sweep_s: seconds from low to high and back.
        seed: of the noise.
    """

    def __init__(
        self,
        sample_rate: int,
        block: int,
        tone_db: float,
        noise_db: float,
        sweep_s: float,
        seed: int,
    ) -> None:
        self.truth_hz = 0.0  # of the tone in the middle of the newest block
        self._sample_rate, self._sweep_s = sample_rate, sweep_s
        self._amplitude = np.float32(10 ** (tone_db / 20))
        # A sine of amplitude 1 has a power of 1/2: noise of the same level deviates by sqrt(1/2).
        self._deviation = np.float32(10 ** (noise_db / 20) * 0.5**0.5)
        self._rng = np.random.default_rng(seed)
        self._index = np.arange(block)
        self._first = 0  # sample the next block begins with
        self._turns = 0.0  # place of that sample in its turn, 0 to 1

    def read(self) -> Block:
        """The next block: a new array, float32, -1 to 1 and a little more where noise adds."""
        times_s = (self._first + self._index) / self._sample_rate
        frequency = self._frequency(times_s)
        steps = frequency / self._sample_rate
        turns = self._turns + np.cumsum(steps) - steps
        self.truth_hz = float(frequency[len(frequency) // 2])
        self._first += len(steps)
        self._turns = float(turns[-1] + steps[-1]) % 1.0  # blocks join without a click
        noise = self._rng.standard_normal(len(steps), np.float32)
        tone = np.sin(2 * np.pi * turns).astype(np.float32)
        return self._amplitude * tone + self._deviation * noise

    def skip(self, blocks: int) -> None:
        """Let `blocks` blocks pass unread, as a microphone does when nobody listens."""
        self._first += blocks * len(self._index)

    def _frequency(self, times_s: npt.NDArray[np.float64]) -> npt.NDArray[np.float64]:
        """Hertz at each time: as many octaves a second going up as coming down."""
        glide = 0.5 - 0.5 * np.cos(2 * np.pi * times_s / self._sweep_s)  # 0, 1 and back
        return np.asarray(LOW_HZ * (HIGH_HZ / LOW_HZ) ** glide)
