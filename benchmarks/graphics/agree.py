"""Whether two pictures are the same, up to what rounding may do."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import numpy as np

from guide_graphics.raster import U8, Frame

COVERAGE_PPM, IDS_PPM = 5, 100
CLOSE = 2  # of 255
OFF_PPM, WORST = 50, 16  # pixels that are not close, and the most that one may be apart
MEAN = 1.0  # of 255, where another rule chose the mip levels: the same texture in the same place


@dataclass(frozen=True, slots=True)
class Difference:
    """Counts of pixels, over all pictures that were compared.

    Args:
        covered: in the first; all of them where nothing has an id, as on what is blended.
        coverage: covered in one of the two alone.
        ids: that show another triangle.
        off: of those that show the same, with a channel more than `CLOSE` apart.
        worst: the most that a channel of those is apart.
    """

    covered: int
    coverage: int
    ids: int
    off: int
    worst: int

    def complaint(self) -> str | None:
        """What is too different; None if nothing is."""
        for count, limit, what in (
            (self.coverage, COVERAGE_PPM, "covered pixels"),
            (self.ids, IDS_PPM, "triangles"),
            (self.off, OFF_PPM, "colours"),
        ):
            if count > limit * 1e-6 * self.covered:
                parts = 1e6 * count / self.covered
                return f"the pictures differ: {what} in {parts:,.0f} ppm, {limit} may"
        if self.worst > WORST:
            return f"the pictures differ: a colour by {self.worst}, {WORST} may"
        return None


def difference(pairs: Iterable[tuple[Frame, Frame]]) -> Difference:
    """Compare pictures of the same; a frame is looked at before the next pair is taken."""
    covered = coverage = ids = off = worst = 0
    for a, b in pairs:
        hit, same = a.ids >= 0, a.ids == b.ids
        covered += int(hit.sum()) or hit.size
        coverage += int((hit != (b.ids >= 0)).sum())
        ids += int((~same).sum())
        # Where another triangle is seen, another colour is right
        apart = channels(a.color, b.color)[same]
        off += int((apart > CLOSE).sum())
        worst = max(worst, int(apart.max(initial=0)))
    return Difference(covered, coverage, ids, off, worst)


def channels(a: U8, b: U8) -> np.ndarray:
    """The channel of each pixel that is most apart: (h, w) of 0 to 255."""
    return np.abs(a[..., :3].astype(np.int16) - b[..., :3]).max(axis=2)
