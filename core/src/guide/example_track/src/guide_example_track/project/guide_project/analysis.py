"""What is done with each block. Replace: your filter, detector, model, encoder."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from guide_project.source import Block

_SILENCE_DB = -200.0


@dataclass(frozen=True, slots=True)
class Seen:
    """What was found in one block."""

    level_db: float  # of the whole block, below a sine of full scale
    peak_hz: float  # the strongest frequency
    spectrum_db: npt.NDArray[np.float32]  # of each bin, below a sine of full scale


class Analyser:
    """Level, spectrum and strongest frequency of blocks of one size."""

    def __init__(self, sample_rate: int, block: int) -> None:
        # Made once: a window is 1024 cosines, and they are the same for every block.
        self._window = np.hanning(block + 1)[:-1].astype(np.float32)
        self._scale = 2 / float(self._window.sum())  # a sine of full scale becomes 1, so 0 dB
        self.bin_hz = sample_rate / block

    def process(self, block: Block) -> Seen:
        """Look at one block."""
        level_db = _decibels(np.sqrt(2 * np.mean(np.square(block, dtype=np.float64))))
        spectrum_db = _decibels(np.abs(np.fft.rfft(block * self._window)) * self._scale)
        return Seen(float(level_db), self._peak_hz(spectrum_db), spectrum_db)

    def _peak_hz(self, spectrum_db: npt.NDArray[np.float32]) -> float:
        """Between bins: the vertex of the parabola through the highest bin and its neighbours."""
        k = 1 + int(np.argmax(spectrum_db[1:-1]))
        left, middle, right = map(float, spectrum_db[k - 1 : k + 2])
        bend = left - 2 * middle + right
        offset = 0.0 if bend >= 0 else min(max((left - right) / (2 * bend), -0.5), 0.5)
        return (k + offset) * self.bin_hz


def _decibels(amplitude: npt.ArrayLike) -> npt.NDArray[np.float32]:
    floor = 10 ** (_SILENCE_DB / 20)  # the logarithm of silence would be minus infinity
    return np.asarray(20 * np.log10(np.maximum(amplitude, floor)), np.float32)
