"""What is shown: a scrolling spectrogram. Replace: the picture your field lives by.

A tick writes one column of bytes. Colours are looked up only when somebody looks: 47 times a
second would be work that nobody sees.
"""

import numpy as np
import numpy.typing as npt

LOW_HZ, HIGH_HZ = 100.0, 16_000.0

# Nine colours of "inferno" by Nathaniel Smith and Stéfan van der Walt (CC0), evenly spaced: dark
# to bright is weak to strong also for the colour-blind and in print.
_INFERNO = (
    (0, 0, 4), (31, 12, 72), (85, 15, 109), (136, 34, 106), (186, 54, 85),
    (227, 89, 51), (249, 140, 10), (249, 201, 50), (252, 255, 164),
)  # fmt: skip


class Spectrogram:
    """The newest columns of a spectrum over time, newest at the right.

    Args:
        bin_hz: distance of the spectrum's bins.
        bins: how many there are.
        floor_db: what is black; 0 dB is the brightest.
        rows, columns: size of the picture.
    """

    def __init__(
        self, bin_hz: float, bins: int, floor_db: float, rows: int = 256, columns: int = 480
    ) -> None:
        high_hz = min(HIGH_HZ, bin_hz * (bins - 1))
        # Octaves have equal height, as in the ear; the top row is the highest.
        self._row_bins = np.geomspace(high_hz, LOW_HZ, rows) / bin_hz
        self._bins = np.arange(bins)
        self._floor_db = floor_db
        self._ring = np.zeros((rows, columns), np.uint8)
        self._next = 0  # column to write
        places = np.linspace(0, 255, len(_INFERNO))
        channels = [np.interp(np.arange(256), places, c) for c in zip(*_INFERNO, strict=True)]
        self._colours = np.stack(channels, axis=1).astype(np.uint8)

    def add(self, spectrum_db: npt.NDArray[np.float32]) -> None:
        """Append one spectrum; the oldest column goes."""
        rows_db = np.interp(self._row_bins, self._bins, spectrum_db)
        share = np.clip(1 - rows_db / self._floor_db, 0, 1)  # 0 at the floor, 1 at 0 dB
        self._ring[:, self._next] = np.rint(255 * share)
        self._next = (self._next + 1) % self._ring.shape[1]

    def image(self) -> npt.NDArray[np.uint8]:
        """The picture: rows x columns x 3, RGB."""
        return np.asarray(self._colours[np.roll(self._ring, -self._next, axis=1)])
