"""Things that cross one another before a virtual camera at rest: exact boxes, exact ids.

Each pair shares a winding lane, one to the right, one to the left, so that every passage brings
occlusions: the case in which trackers lose ids.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from guide_vision.pipeline.frame import Facts, Frame, Image
from guide_vision.pipeline.virtual import VirtualCamera

_COLOURS = ((200, 130, 40), (60, 190, 80), (210, 190, 60), (190, 70, 170), (230, 230, 225))
_ENOUGH = 0.25  # of a thing's pixels that must show for it to be in the truth


@dataclass(frozen=True, slots=True)
class _Thing:
    width: int
    height: int
    pace: float  # pixels per frame, to the right when above 0
    start: float  # of its centre, at frame 0
    lane: float
    phase: float
    colour: npt.NDArray[np.uint8]  # height x width x 3
    shape: npt.NDArray[np.bool_]  # height x width: which pixels it covers


class Crossings:
    """A source: the frames of a virtual camera, with things that cross in front of it.

    The truth of a frame are the things that show by a quarter or more of their pixels. A box
    spans its whole thing as far as it lies in the picture, what is hidden included. A thing
    that has left comes in again as another, with a new id.

    Args:
        camera: gives the frames; it should stand still and have no noise.
        count: of the things in the course, two on a lane.
        noise: standard deviation in grey levels, added over everything.
        seed: of the things and of the noise.
    """

    live = False

    def __init__(
        self, camera: VirtualCamera, count: int = 6, *, noise: float = 2.0, seed: int = 0
    ) -> None:
        if count < 1:
            raise ValueError(f"at least one thing must cross, not {count}")
        self._camera = camera
        self._count = count
        self._noise = noise
        self._rng = np.random.default_rng(seed % 2**64)  # which takes no negative one
        self._things: list[_Thing] = []
        self._tape = np.zeros((0, 0, 3), np.int16)

    def open(self) -> Facts:
        """Open the camera and cast the things."""
        facts = self._camera.open()
        self._things = [
            self._cast(k, facts.width, facts.height, (self._count + 1) // 2)
            for k in range(self._count)
        ]
        shape = (facts.height + 64, facts.width + 64, 3)
        self._tape = np.rint(self._rng.normal(0, self._noise, shape)).astype(np.int16)
        return Facts("crossings before a virtual camera", facts.width, facts.height, facts.fps)

    def read(self, into: Image | None = None) -> Frame | None:
        """The next frame, with its true boxes and ids."""
        frame = self._camera.read(into)
        if frame is None:
            return None
        height, width = frame.image.shape[:2]
        owner = np.full((height, width), -1, np.int16)
        places = [self._place(k, frame.seq, width, height) for k in range(self._count)]
        boxes = [
            _paint(frame.image, owner, thing, k, left, top)
            for k, (thing, (left, top, _)) in enumerate(zip(self._things, places, strict=True))
        ]
        ids, shown = [], []
        for k, thing in enumerate(self._things):
            x0, y0, x1, y1 = boxes[k]
            visible = np.count_nonzero(owner[y0:y1, x0:x1] == k)
            if visible >= _ENOUGH * np.count_nonzero(thing.shape):
                ids.append(k + self._count * places[k][2])
                shown.append((x0, y0, x1 - x0, y1 - y0))
        y, x = self._rng.integers(0, 64, 2)
        cv2.add(
            frame.image,
            self._tape[y : y + height, x : x + width],
            dst=frame.image,
            dtype=cv2.CV_8U,
        )
        frame.true_boxes = np.array(shown, np.float32).reshape(-1, 4)
        frame.true_ids = np.array(ids, np.int64)
        return frame

    def close(self) -> None:
        """Close the camera."""
        self._camera.close()

    def _cast(self, k: int, width: int, height: int, lanes: int) -> _Thing:
        w, h = (max(int(height * s), 4) for s in self._rng.uniform(0.14, 0.22, 2))
        pace = width * self._rng.uniform(0.004, 0.009)
        # All out of sight for some 20 frames, so that the background can be learned
        away = w / 2 + 20 * pace + (k // 2) * width * 0.12
        colour, shape = _look(w, h, _COLOURS[k % len(_COLOURS)], square=k % 2 == 1)
        return _Thing(
            width=w,
            height=h,
            pace=-pace if k % 2 else pace,
            start=width + away if k % 2 else -away,
            lane=height * (k // 2 + 0.5) / lanes,
            phase=self._rng.uniform(0, 2 * math.pi),
            colour=colour,
            shape=shape,
        )

    def _place(self, k: int, number: int, width: int, height: int) -> tuple[int, int, int]:
        """Left, top and passage of thing `k` in a frame."""
        thing = self._things[k]
        margin = 1.5 * thing.width
        span = width + 2 * margin
        gone = abs(thing.pace) * number - (abs(thing.start - (width if thing.pace < 0 else 0)))
        # Counted from the margin before the edge: below 0 it has not come so far yet
        passage = max(math.floor((gone + margin) / span), 0)
        along = gone - passage * span
        x = width - along if thing.pace < 0 else along
        y = thing.lane + 0.12 * height * math.sin(thing.phase + 2 * math.pi * x / width)
        return round(x - thing.width / 2), round(y - thing.height / 2), passage


def _look(
    width: int, height: int, colour: tuple[int, int, int], *, square: bool
) -> tuple[npt.NDArray[np.uint8], npt.NDArray[np.bool_]]:
    """An ellipse or a box, lit from the upper left, and which pixels it covers."""
    x, y = np.meshgrid(
        (np.arange(width) + 0.5) / width * 2 - 1, (np.arange(height) + 0.5) / height * 2 - 1
    )
    shape = np.ones((height, width), np.bool_) if square else np.hypot(x, y) <= 1
    light = np.clip(0.8 - 0.2 * x - 0.25 * y, 0, 1)[..., None]
    return np.rint(light * np.array(colour)).astype(np.uint8), shape


def _paint(
    image: Image, owner: npt.NDArray[np.int16], thing: _Thing, k: int, left: int, top: int
) -> tuple[int, int, int, int]:
    """Draw a thing over what is there; returns x0, y0, x1, y1 of what lies in the picture."""
    height, width = image.shape[:2]
    x0, x1 = (min(max(v, 0), width) for v in (left, left + thing.width))
    y0, y1 = (min(max(v, 0), height) for v in (top, top + thing.height))
    part = np.s_[y0 - top : y1 - top, x0 - left : x1 - left]
    if x0 < x1 and y0 < y1:
        shape = thing.shape[part]
        image[y0:y1, x0:x1][shape] = thing.colour[part][shape]
        owner[y0:y1, x0:x1][shape] = k
    return x0, y0, x1, y1
