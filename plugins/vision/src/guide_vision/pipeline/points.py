"""Track corners from frame to frame and tell how the camera moved.

Corners are those of Shi and Tomasi, followed by pyramidal Lucas-Kanade. Each is followed back
again and kept only if it returns to where it started; the camera's motion is the one that most
of them agree on (RANSAC), and the few that do not are things that move on their own.
"""

from __future__ import annotations

from typing import Any, Literal, cast

import cv2
import numpy as np
import numpy.typing as npt

from guide_vision.pipeline.frame import Frame, Image, Matrix, Points
from guide_vision.pipeline.motion import between, distance_px, transform
from guide_vision.pipeline.observation import Observation

Model = Literal["similarity", "homography"]

_RETURN_PX = 0.5  # how far from its start a point may come back
_AGREE_PX = 1.0  # how far from the common motion a point may be
_LEAST = 12  # points below which there is no motion to speak of


class PointTracker:
    """Corner points with ids, and the camera's motion between consecutive frames.

    Args:
        count: points to hold on to.
        model: "similarity" (shift, turn, zoom) or "homography" (any view of a plane).
        refill: share of `count` below which new corners are looked for.
        apart_px: least distance between two corners.
    """

    name = "track"

    def __init__(
        self,
        count: int = 250,
        *,
        model: Model = "similarity",
        refill: float = 0.85,
        apart_px: float = 14.0,
    ) -> None:
        if count < _LEAST:
            raise ValueError(f"at least {_LEAST} points are needed, not {count}")
        self._count = count
        self._model = model
        self._refill = refill
        self._apart_px = apart_px
        self._gray: Image | None = None  # of the frame before
        self._spare: Image | None = None  # becomes the gray of the next: two buffers take turns
        self._points: Points = np.zeros((0, 2), np.float32)
        self._ids = np.zeros(0, np.int64)
        self._next_id = 0
        self._epoch = 0
        self._pose: Matrix | None = None

    def process(self, frame: Frame) -> Observation:
        """Follow the points into `frame` and look for new ones when too few are left."""
        gray = cast(Image, cv2.cvtColor(frame.image, cv2.COLOR_BGR2GRAY, dst=self._spare))
        before, self._spare, self._gray = self._gray, self._gray, gray
        pose, self._pose = self._pose, frame.truth
        fresh = before is None or frame.epoch != self._epoch or before.shape != gray.shape
        self._epoch = frame.epoch
        if before is None or fresh:
            return self._restart(gray)
        start, end, kept = self._follow(before, gray)
        if len(end) < max(_LEAST, 0.2 * len(kept)):
            return self._restart(gray)  # a cut, or a hand before the lens
        motion, steady = self._agree(start, end)
        self._points, self._ids = end, self._ids[kept]
        error_px = point_error_px = None
        if pose is not None and frame.truth is not None:
            truth = between(pose, frame.truth)
            off = transform(truth, start) - end
            point_error_px = float(np.median(np.hypot(off[:, 0], off[:, 1])))
            if motion is not None:
                error_px = distance_px(motion, truth, gray.shape[1], gray.shape[0])
        if len(self._points) < self._refill * self._count:
            self._detect(gray)
            new = len(self._points) - len(steady)
            steady = np.concatenate([steady, np.ones(new, np.bool_)])
        return Observation(
            ids=self._ids,
            points=self._points,
            steady=steady,
            motion=motion,
            error_px=error_px,
            point_error_px=point_error_px,
        )

    def _restart(self, gray: Image) -> Observation:
        self._points = np.zeros((0, 2), np.float32)
        self._ids = np.zeros(0, np.int64)
        self._detect(gray)
        steady = np.ones(len(self._ids), np.bool_)
        return Observation(ids=self._ids, points=self._points, steady=steady, restarted=True)

    def _detect(self, gray: Image) -> None:
        """Add corners away from the points there are, up to `count`."""
        free = np.full(gray.shape, 255, np.uint8)
        for x, y in self._points.astype(int).tolist():
            cv2.circle(free, (x, y), int(self._apart_px), 0, -1)
        missing = self._count - len(self._points)
        found = cv2.goodFeaturesToTrack(gray, missing, 0.01, self._apart_px, mask=free)
        if found is None:
            return
        corners = found.reshape(-1, 2).astype(np.float32)
        # goodFeaturesToTrack answers in whole pixels; the corner itself lies between them
        criteria = (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.03)
        cv2.cornerSubPix(gray, corners, (5, 5), (-1, -1), criteria)
        ids = np.arange(self._next_id, self._next_id + len(corners))
        self._next_id += len(corners)
        self._points = np.concatenate([self._points, corners])
        self._ids = np.concatenate([self._ids, ids])

    def _follow(self, before: Image, gray: Image) -> tuple[Points, Points, npt.NDArray[np.bool_]]:
        """Follow the points there and back; returns those that returned, and which they were."""
        if not len(self._points):
            return self._points, self._points, np.zeros(0, np.bool_)
        settings: dict[str, Any] = {
            "winSize": (21, 21),
            "maxLevel": 3,
            "criteria": (cv2.TERM_CRITERIA_EPS + cv2.TERM_CRITERIA_MAX_ITER, 20, 0.01),
        }
        # The stubs do not know that nextPts may be None, which means: nothing to write to
        nothing = cast(Points, None)
        there, found, _ = cv2.calcOpticalFlowPyrLK(before, gray, self._points, nothing, **settings)
        back, returned, _ = cv2.calcOpticalFlowPyrLK(gray, before, there, nothing, **settings)
        there = cast(Points, there)
        off = np.abs(back - self._points).max(axis=1)
        height, width = gray.shape
        inside = (there >= 0).all(axis=1) & (there < (width, height)).all(axis=1)
        kept = (found.ravel() == 1) & (returned.ravel() == 1) & (off < _RETURN_PX) & inside
        return self._points[kept], there[kept], kept

    def _agree(self, start: Points, end: Points) -> tuple[Matrix | None, npt.NDArray[np.bool_]]:
        """The motion that most points agree on, and which do."""
        matrix: Any
        if self._model == "homography":
            matrix, votes = cv2.findHomography(start, end, cv2.RANSAC, _AGREE_PX)
        else:
            matrix, votes = cv2.estimateAffinePartial2D(
                start, end, method=cv2.RANSAC, ransacReprojThreshold=_AGREE_PX
            )
        if matrix is None:
            return None, np.zeros(len(start), np.bool_)
        if matrix.shape == (2, 3):
            matrix = np.vstack([matrix, [0.0, 0.0, 1.0]])
        return matrix, votes.ravel().astype(np.bool_)
