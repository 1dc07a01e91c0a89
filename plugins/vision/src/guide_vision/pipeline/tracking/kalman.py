"""Where boxes will be in the next frame, and how sure that is: a Kalman filter for all at once.

Each box keeps its size and moves on at its speed, but for random accelerations. The two axes
have the same noise and do not disturb each other, so what would be a 6 x 6 covariance per box is
four numbers: variance of place and of speed, what the two share, and variance of size. All noise
is in units of the box's own size (Wojke et al., ICIP 2017): what is near the camera is large, and
moves and wavers more.
"""

from __future__ import annotations

import numpy as np
import numpy.typing as npt

from guide_vision.pipeline.frame import Boxes

Floats = npt.NDArray[np.float64]

_SMALLEST_PX = 20.0  # what is smaller wavers like one of that size: blobs end at whole pixels


class BoxFilter:
    """Constant-velocity Kalman filters, one a row.

    Args:
        waver: standard deviation of a measured centre, in box sizes (root of the area).
        swell: likewise of a measured width or height.
        push: standard deviation of the acceleration, in box sizes per frame and frame.
        grow: standard deviation of what width and height change by in a frame, in box sizes.
    """

    def __init__(
        self, waver: float = 0.05, swell: float = 0.1, push: float = 0.01, grow: float = 0.05
    ) -> None:
        self._waver, self._swell, self._push, self._grow = waver, swell, push, grow
        self.centre: Floats = np.zeros((0, 2))
        self.speed: Floats = np.zeros((0, 2))  # pixels per frame
        self.size: Floats = np.zeros((0, 2))
        self._place = np.zeros(0)  # variances
        self._both = np.zeros(0)
        self._pace = np.zeros(0)
        self._extent = np.zeros(0)

    def __len__(self) -> int:
        return len(self.centre)

    @property
    def boxes(self) -> Boxes:
        """N x 4, as predicted or corrected last."""
        return np.hstack([self.centre - self.size / 2, self.size]).astype(np.float32)

    def add(self, boxes: Boxes) -> None:
        """Begin a filter for each box, at rest, but not at all sure of that."""
        centre, size = _split(boxes)
        scale = _scale(size)
        self.centre = np.vstack([self.centre, centre])
        self.size = np.vstack([self.size, size])
        self.speed = np.vstack([self.speed, np.zeros_like(centre)])
        self._place = np.append(self._place, (self._waver * scale) ** 2)
        self._both = np.append(self._both, np.zeros(len(boxes)))
        self._pace = np.append(self._pace, (0.25 * scale) ** 2)
        self._extent = np.append(self._extent, (self._swell * scale) ** 2)

    def keep(self, which: npt.NDArray[np.bool_]) -> None:
        """Drop the rows that are not in the mask."""
        for name in ("centre", "speed", "size", "_place", "_both", "_pace", "_extent"):
            setattr(self, name, getattr(self, name)[which])

    def predict(self, frames: float = 1.0) -> None:
        """Move on by `frames`; more than one when some were lost in between."""
        t = frames
        self.centre = self.centre + t * self.speed
        noise = (self._push * _scale(self.size)) ** 2
        self._place = self._place + 2 * t * self._both + t * t * self._pace + noise * t**4 / 4
        self._both = self._both + t * self._pace + noise * t**3 / 2
        self._pace = self._pace + noise * t * t
        self._extent = self._extent + t * (self._grow * _scale(self.size)) ** 2

    def distance(self, boxes: Boxes) -> Floats:
        """Squared Mahalanobis distance of each row's centre to each box's, N x M.

        Of the true pairs 99 in 100 lie below 9.21, the quantile of chi squared for two axes.
        """
        centre, _ = _split(boxes)
        off = ((self.centre[:, None] - centre[None]) ** 2).sum(axis=2)
        result: Floats = off / (self._place + self._noise)[:, None]
        return result

    def correct(self, rows: npt.NDArray[np.int64], boxes: Boxes) -> None:
        """Take in a measured box for each of `rows`."""
        centre, size = _split(boxes)
        noise = self._noise[rows]
        gain = self._place[rows] / (self._place[rows] + noise)
        gain_pace = self._both[rows] / (self._place[rows] + noise)
        off = centre - self.centre[rows]
        self.centre[rows] += gain[:, None] * off
        self.speed[rows] += gain_pace[:, None] * off
        self._pace[rows] -= gain_pace * self._both[rows]
        self._both[rows] *= 1 - gain
        self._place[rows] *= 1 - gain
        extent = self._extent[rows]
        share = extent / (extent + (self._swell * _scale(self.size[rows])) ** 2)
        self.size[rows] += share[:, None] * (size - self.size[rows])
        self._extent[rows] = (1 - share) * extent

    def shift(self, rows: npt.NDArray[np.int64], off: Floats) -> None:
        """Move centres by `off` pixels; what is known of their speed stays as it is."""
        self.centre[rows] += off

    @property
    def _noise(self) -> Floats:
        noise: Floats = (self._waver * _scale(self.size)) ** 2
        return noise


def _split(boxes: Boxes) -> tuple[Floats, Floats]:
    wide = np.asarray(boxes, np.float64).reshape(-1, 4)
    return wide[:, :2] + wide[:, 2:] / 2, wide[:, 2:]


def _scale(size: Floats) -> Floats:
    scale: Floats = np.maximum(np.sqrt(size.prod(axis=1)), _SMALLEST_PX)
    return scale
