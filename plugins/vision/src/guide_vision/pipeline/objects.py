"""Find what moves before a camera that does not.

Every pixel keeps what it usually shows; what does not fit is foreground, its blobs are boxes, and
the boxes get ids. When most of the picture is foreground
at once it is no object but a cut or a lamp switched on: the background is learned anew.
"""

from __future__ import annotations

import cv2
import numpy as np
import numpy.typing as npt

from guide_vision.pipeline.background import Kind, make_background
from guide_vision.pipeline.frame import Boxes, Frame, Image
from guide_vision.pipeline.observation import Observation
from guide_vision.pipeline.tracking.tracker import Tracker

_CUT_SHARE = 0.5  # of the picture in the foreground: no object but another scene


class MovingObjects:
    """Boxes with ids around whatever moves; for a fixed camera.

    Args:
        work_width: the picture is shrunk to this width first: the cost falls with its square.
            The fused background halves it instead, whatever its size.
        least_share: smallest object, as a share of the picture's area.
        learn_frames: frames in which the background is learned and nothing is reported.
        background: "mog2", on colours, or "fused", on grey: fast, needs numba.

    Raises:
        GuideError: when there is no such background, or numba is missing for "fused".
    """

    name = "detect"

    def __init__(
        self,
        work_width: int = 320,
        least_share: float = 0.003,
        learn_frames: int = 8,
        background: Kind = "mog2",
    ) -> None:
        self._least_share = least_share
        self._background = make_background(background, work_width, learn_frames)
        self._open = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
        self._close = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (11, 11))
        self._seq = 0  # of the last frame that the tracker saw
        self._epoch = -1
        self._shape: tuple[int, ...] = ()  # of the frame: when it changes, every place does
        self._tracker = Tracker()

    def process(self, frame: Frame) -> Observation:
        """Compare `frame` with the background and follow what stands out."""
        restarted = frame.epoch != self._epoch or frame.image.shape != self._shape
        if restarted:
            self._epoch, self._shape = frame.epoch, frame.image.shape
            self._restart()
        mask = self._background.apply(frame.image)
        if self._background.cut:
            restarted = True
            self._tracker = Tracker()
        if self._background.learning:
            return _nothing(restarted)
        if cv2.countNonZero(mask) > _CUT_SHARE * mask.size:
            self._restart()
            return _nothing(restarted=True)
        cv2.morphologyEx(mask, cv2.MORPH_OPEN, self._open, dst=mask)
        cv2.morphologyEx(mask, cv2.MORPH_CLOSE, self._close, dst=mask)
        elapsed, self._seq = max(frame.seq - self._seq, 1), frame.seq
        scale = np.float32(mask.shape[1] / frame.image.shape[1])
        ids, boxes = self._tracker.update(self._blobs(mask) / scale, elapsed)
        return Observation(
            ids=ids,
            points=(boxes[:, :2] + boxes[:, 2:] / 2).astype(np.float32),
            boxes=boxes,
            steady=np.zeros(len(ids), np.bool_),
        )

    def _restart(self) -> None:
        self._background.restart()
        self._tracker = Tracker()

    def _blobs(self, mask: Image) -> Boxes:
        """Bounding boxes of the connected regions that are large enough."""
        _, _, stats, _ = cv2.connectedComponentsWithStats(mask)
        regions = stats[1:]  # the first is the background
        large = regions[:, cv2.CC_STAT_AREA] >= self._least_share * mask.size
        boxes = regions[large][:, :4].astype(np.float32)
        return boxes[~_inside_another(boxes)]


def _nothing(restarted: bool) -> Observation:
    return Observation(boxes=np.zeros((0, 4), np.float32), restarted=restarted)


def _inside_another(boxes: Boxes) -> npt.NDArray[np.bool_]:
    """Which boxes lie for the most part in a larger one: parts of the same thing."""
    low, high = boxes[:, :2], boxes[:, :2] + boxes[:, 2:]
    shared = np.minimum(high[:, None], high[None]) - np.maximum(low[:, None], low[None])
    common = shared.clip(min=0).prod(axis=2)
    area = boxes[:, 2:].prod(axis=1)
    swallowed = (common > 0.7 * area[:, None]) & (area[:, None] < area[None])
    result: npt.NDArray[np.bool_] = swallowed.any(axis=1)
    return result
