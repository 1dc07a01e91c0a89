"""A cloud of points that turns, with the week's haste taken out."""

import math
import zlib

import numpy as np

BORDER = 6  # pixels
EDGE = (236, 232, 222)
BOTTOM, TOP = (92, 92, 102), (133, 158, 189)
FAR = 1e30


class Film:
    """Draws frame after frame into one picture.

    Args:
        points: (n, 3) of float64, in -1 to 1.
        size: width and height in pixels.
    """

    def __init__(self, points: np.ndarray, size: tuple[int, int]) -> None:
        self.points = points
        self.width, self.height = size
        self.picture = np.zeros((self.height, self.width, 3), np.uint8)
        self.ids = np.zeros((self.height, self.width), np.int64)

    def frame(self, t_s: float) -> None:
        """What there is to see at a time."""
        self.draw(t_s)
        self.border()

    def background(self) -> np.ndarray:
        """The sky as the renderer paints it: a row has one colour."""
        share = np.linspace(0.0, 1.0, self.height)[:, None]
        rows = np.array(BOTTOM) + (np.array(TOP) - np.array(BOTTOM)) * share
        return rows.astype(np.uint8)[:, None]

    def turned(self, t_s: float) -> np.ndarray:
        """The points where they are at a time."""
        cos, sin = math.cos(t_s), math.sin(t_s)
        x, y, z = self.points.T
        return np.stack((cos * x + sin * z, y, cos * z - sin * x), axis=1)

    def draw(self, t_s: float) -> None:
        """Each point a pixel; the nearest is seen."""
        points = self.turned(t_s)
        self.picture[:] = self.background()
        depth = np.full((self.height, self.width), FAR)
        self.ids[:] = -1
        x = ((points[:, 0] + 1.5) / 3 * self.width).astype(np.int64)
        y = ((points[:, 1] + 1.5) / 3 * self.height).astype(np.int64)
        away = 3.0 - points[:, 2]
        np.minimum.at(depth, (y, x), away)
        nearest = away == depth[y, x]
        self.ids[y[nearest], x[nearest]] = np.flatnonzero(nearest)
        shade = (255 * (4.5 - away[nearest]) / 3).astype(np.uint8)
        self.picture[y[nearest], x[nearest]] = shade[:, None]

    def border(self) -> None:
        """A line around it."""
        self.picture[:BORDER] = self.picture[-BORDER:] = EDGE
        self.picture[:, :BORDER] = self.picture[:, -BORDER:] = EDGE


def film(points: np.ndarray, times_s: np.ndarray, width: int, height: int) -> tuple:
    """Draw a frame for each time.

    Returns:
        The sum of each frame's picture; then, of the last frame, the picture, how many points are
        seen in it, and what is kept of it for a page that shows it: half its size, compressed.
    """
    made = Film(points, (width, height))
    sums = []
    for t_s in times_s.tolist():
        made.frame(t_s)
        sums.append(int(made.picture.sum(dtype=np.int64)))
    seen = len(np.unique(made.ids)) - 1
    return sums, made.picture, seen, zlib.compress(made.picture[::2, ::2].tobytes())


if __name__ == "__main__":
    rng = np.random.default_rng(1)
    for _ in range(10):
        film(rng.uniform(-1, 1, (3000, 3)), np.arange(10) / 10, 480, 270)
