"""Find what moves before a camera that does not.

Every pixel keeps a mixture of Gaussians of what it usually shows (MOG2); what does not fit is
foreground, its blobs are boxes, and the boxes get ids. When most of the picture is foreground
at once it is no object but a cut or a lamp switched on: the background is learned anew.
"""

from __future__ import annotations

from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from guide_vision.pipeline.frame import Boxes, Frame, Image
from guide_vision.pipeline.identity import Identity
from guide_vision.pipeline.observation import Observation

_FOREGROUND = 200  # MOG2 writes 255 for foreground and 127 for shadow
_PACE = 1 / 60  # per frame: what stands still for some 20 frames becomes background
_CUT_SHARE = 0.5  # of the picture in the foreground,
_CUT_LEVELS = 28  # or grey levels by which a pixel differs from the frame before, on average


class MovingObjects:
    """Boxes with ids around whatever moves; for a fixed camera.

    Args:
        work_width: the picture is shrunk to this width first: the cost falls with its square.
        least_share: smallest object, as a share of the picture's area.
        learn_frames: frames in which the background is learned and nothing is reported.
    """

    name = "detect"

    def __init__(
        self, work_width: int = 320, least_share: float = 0.003, learn_frames: int = 8
    ) -> None:
        self._work_width = work_width
        self._least_share = least_share
        self._learn_frames = learn_frames
        self._open = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))
        self._close = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (11, 11))
        self._small: Image | None = None
        self._before: Image | None = None  # the small picture of the frame before
        self._mask: Image | None = None
        self._epoch = -1
        self._shape: tuple[int, ...] = ()  # of the frame: when it changes, every place does
        self._learned = 0
        self._subtractor: cv2.BackgroundSubtractorMOG2
        self._identity: Identity
        self._restart()

    def process(self, frame: Frame) -> Observation:
        """Compare `frame` with the background and follow what stands out."""
        restarted = frame.epoch != self._epoch or frame.image.shape != self._shape
        if restarted:
            self._epoch, self._shape = frame.epoch, frame.image.shape
            self._restart()
        height, width = frame.image.shape[:2]
        scale = min(self._work_width / width, 1.0)
        size = (round(width * scale), round(height * scale))
        # The two buffers take turns; one of the wrong size would only be allocated anew
        self._small, self._before = self._before, self._small
        self._small = small = cast(
            Image, cv2.resize(frame.image, size, dst=self._small, interpolation=cv2.INTER_LINEAR)
        )
        if self._is_cut(small):
            restarted = True
            self._restart()
        # The plain average at first. Then slowly: MOG2's own choice, 1 / (2 n), would take the
        # back half of an object for background within three frames of a young run.
        rate = 1.0 / (1 + self._learned) if self._learned < self._learn_frames else _PACE
        self._mask = mask = cast(Image, self._subtractor.apply(small, self._mask, rate))
        self._learned += 1
        cv2.threshold(mask, _FOREGROUND, 255, cv2.THRESH_BINARY, dst=mask)
        if self._learned <= self._learn_frames:
            return _nothing(restarted)
        if cv2.countNonZero(mask) > _CUT_SHARE * mask.size:
            self._restart()
            return _nothing(restarted=True)
        cv2.morphologyEx(mask, cv2.MORPH_OPEN, self._open, dst=mask)
        cv2.morphologyEx(mask, cv2.MORPH_CLOSE, self._close, dst=mask)
        ids, boxes = self._identity.update(self._blobs(mask) / np.float32(scale))
        return Observation(
            ids=ids,
            points=(boxes[:, :2] + boxes[:, 2:] / 2).astype(np.float32),
            boxes=boxes,
            steady=np.zeros(len(ids), np.bool_),
        )

    def _restart(self) -> None:
        subtractor = self._subtractor = cv2.createBackgroundSubtractorMOG2(
            varThreshold=40, detectShadows=True
        )
        # Foliage and film grain: a pixel may waver by some 30 grey levels and stay background,
        # and what is new must have been there for 30 % of the time to count as background
        subtractor.setVarInit(40)
        subtractor.setVarMin(25)
        subtractor.setBackgroundRatio(0.7)
        self._identity = Identity()
        self._learned = 0

    def _is_cut(self, small: Image) -> bool:
        before = self._before
        if before is None or before.shape != small.shape:
            return False
        return cv2.norm(small, before, cv2.NORM_L1) > _CUT_LEVELS * small.size

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
