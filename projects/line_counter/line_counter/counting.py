"""Count things that cross a line, once each, in the direction they cross it."""

from dataclasses import dataclass

import numpy as np
import numpy.typing as npt


@dataclass(frozen=True)
class Line:
    """From (x0, y0) to (x1, y1) in pixels, x to the right and y down.

    Who goes along it looks to the end: what crosses to the right of that person goes "in".
    """

    x0: float
    y0: float
    x1: float
    y1: float

    @classmethod
    def parse(cls, text: str, width: int, height: int) -> "Line":
        """A line from four shares of the picture, "0.5 0.1 0.5 0.9" or with commas.

        Raises:
            ValueError: when it is no line.
        """
        try:
            x0, y0, x1, y1 = (float(part) for part in text.replace(",", " ").split())
        except ValueError:
            raise ValueError(
                f"line is four shares of the picture such as 0.5,0,0.5,1, not {text!r}"
            ) from None
        if not all(0 <= share <= 1 for share in (x0, y0, x1, y1)) or (x0, y0) == (x1, y1):
            raise ValueError(f"line runs between two points from 0,0 to 1,1, not {text!r}")
        return cls(x0 * width, y0 * height, x1 * width, y1 * height)

    def sides(self, points: npt.NDArray[np.float32]) -> npt.NDArray[np.float64]:
        """How far N x 2 points lie to the right of it, in pixels; those to the left below 0."""
        along = np.array([self.x1 - self.x0, self.y1 - self.y0])
        away = points - np.array([self.x0, self.y0])
        side: npt.NDArray[np.float64] = along[0] * away[:, 1] - along[1] * away[:, 0]
        return side / np.hypot(*along)

    def within(self, points: npt.NDArray[np.float32]) -> npt.NDArray[np.bool_]:
        """Whether N x 2 points lie beside the line, not beyond one of its ends."""
        along = np.array([self.x1 - self.x0, self.y1 - self.y0])
        share = (points - np.array([self.x0, self.y0])) @ along / (along @ along)
        inside: npt.NDArray[np.bool_] = (share >= 0) & (share <= 1)
        return inside


class LineCounter:
    """Counts ids that pass from one side of a line to the other.

    Who stands on the line wavers from side to side with every frame. So a side only counts from
    `margin` pixels on: between the two, one still belongs to the side one came from.

    Args:
        line: what is crossed.
        margin: half the width of the band in which nobody changes sides, in pixels.
    """

    def __init__(self, line: Line, margin: float = 6.0) -> None:
        self.line, self.margin = line, margin
        self.entered = 0  # to the right
        self.left = 0
        self._side: dict[int, bool] = {}  # id -> whether it was last seen clearly on the right

    def update(
        self, ids: npt.NDArray[np.int64], points: npt.NDArray[np.float32]
    ) -> list[tuple[int, bool]]:
        """Count the things of one frame.

        Args:
            ids: N, each of one thing for as long as it is seen.
            points: N x 2, where it touches the ground, in pixels.

        Returns:
            Those that crossed in this frame: id, and whether to the right.
        """
        if not len(ids):
            return []
        crossed = []
        sides, beside = self.line.sides(points), self.line.within(points)
        for identity, side, near in zip(ids.tolist(), sides.tolist(), beside, strict=True):
            if abs(side) < self.margin:
                continue
            right = side > 0
            before = self._side.get(identity)
            self._side[identity] = right
            if before is None or before == right or not near:
                continue
            crossed.append((identity, right))
            if right:
                self.entered += 1
            else:
                self.left += 1
        return crossed

    @property
    def total(self) -> int:
        """Crossings in both directions."""
        return self.entered + self.left


def feet(boxes: npt.NDArray[np.float32]) -> npt.NDArray[np.float32]:
    """Where things of the N x 4 boxes touch the ground: the middle of the lower edge, N x 2."""
    below: npt.NDArray[np.float32] = boxes[:, :2] + boxes[:, 2:] * np.array([0.5, 1], np.float32)
    return below
