"""What a stage found in a frame: the one thing that overlays, logs and tests consume."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol

import numpy as np
import numpy.typing as npt

from guide_vision.pipeline.frame import Boxes, Frame, Matrix, Points


def _no_points() -> Points:
    return np.zeros((0, 2), np.float32)


def _no_ids() -> npt.NDArray[np.int64]:
    return np.zeros(0, np.int64)


def _no_flags() -> npt.NDArray[np.bool_]:
    return np.zeros(0, np.bool_)


@dataclass(frozen=True, slots=True)
class Observation:
    """Things seen in one frame, row i of each array being thing i.

    An `id` stays with its thing from frame to frame and is never given twice.
    """

    ids: npt.NDArray[np.int64] = field(default_factory=_no_ids)
    points: Points = field(default_factory=_no_points)  # where it is; of a box, its centre
    boxes: Boxes | None = None
    steady: npt.NDArray[np.bool_] = field(default_factory=_no_flags)
    """Whether it moves as the background does; with a fixed camera nothing we report does."""

    motion: Matrix | None = None  # of the picture since the frame before; None: not known
    error_px: float | None = None  # of that motion, where the truth is known
    point_error_px: float | None = None  # median over the points, where the truth is known
    detail: Any = None  # what only this stage knows: a field of flow, poses of tags
    restarted: bool = False  # it began anew here: first frame, new epoch, a cut

    @property
    def count(self) -> int:
        """How many things there are."""
        return len(self.ids)

    @property
    def support(self) -> float:
        """The share of points that agree with the motion of the background, 0 to 1."""
        return float(self.steady.mean()) if len(self.steady) else 0.0


class Step(Protocol):
    """One of a pipeline's stages; what it returns is put in `frame.results` under its name.

    It gets frames one at a time and in order, unless it has an attribute `parallel` that is true:
    it then keeps nothing from one frame to the next, and several threads may be in it at once.
    """

    name: str  # a word, for its span

    def process(self, frame: Frame) -> Any:
        """Work on one frame; it may draw in `frame.image`. Keeps nothing of it but copies."""
        ...


class Stage(Protocol):
    """A step that says what it saw."""

    name: str  # a word, for its span

    def process(self, frame: Frame) -> Observation:
        """Look at one frame. Keeps nothing of `frame.image` but copies."""
        ...
