"""Marbles that roll before a virtual camera at rest; where each of them is, is known exactly."""

from __future__ import annotations

from dataclasses import dataclass

import cv2
import numpy as np
import numpy.typing as npt

from guide_vision.pipeline.frame import Facts, Frame, Image
from guide_vision.pipeline.virtual import VirtualCamera

_COLOURS = ((200, 130, 40), (60, 190, 80), (210, 190, 60), (190, 70, 170), (230, 230, 225))


@dataclass(frozen=True, slots=True)
class _Marble:
    radius: int
    y: float  # of its lane
    speed: float  # pixels per frame, to the right when above 0
    start: float  # of its centre, at frame 0
    sprite: npt.NDArray[np.float32]  # 2 r x 2 r x 4: colour, and how much it covers


class Marbles:
    """A source: the frames of a virtual camera, with marbles rolling through them.

    Args:
        camera: gives the frames; it should stand still and have no noise.
        count: of the marbles, each on a lane of its own.
        noise: as of the camera, added over everything.
        seed: of the noise and of the marbles.
    """

    live = False

    def __init__(
        self, camera: VirtualCamera, count: int = 5, *, noise: float = 2.0, seed: int = 0
    ) -> None:
        self._camera = camera
        self._count = count
        self._noise = noise
        self._rng = np.random.default_rng(seed % 2**64)  # which takes no negative one
        self._marbles: list[_Marble] = []
        self._tape = np.zeros((0, 0, 3), np.int16)

    def open(self) -> Facts:
        """Open the camera and cast the marbles."""
        facts = self._camera.open()
        height, width = facts.height, facts.width
        lane = height / self._count
        for k in range(self._count):
            radius = max(int(lane * (0.34 + 0.06 * (k % 3))), 4)
            pace = width * (0.004 + 0.0022 * self._rng.random())
            self._marbles.append(
                _Marble(
                    radius=radius,
                    y=lane * (k + 0.5),
                    speed=pace if k % 2 else -pace,
                    # All of them out of sight at first, so that the background can be learned
                    start=-1.5 * radius - k * width * 0.06
                    if k % 2
                    else width + 1.5 * radius + k * width * 0.06,
                    sprite=_sprite(radius, _COLOURS[k % len(_COLOURS)]),
                )
            )
        shape = (height + 64, width + 64, 3)
        self._tape = np.rint(self._rng.normal(0, self._noise, shape)).astype(np.int16)
        return Facts("marbles before a virtual camera", width, height, facts.fps)

    def read(self, into: Image | None = None) -> Frame | None:
        """The next frame, with the true boxes of all marbles that are at least half in view."""
        frame = self._camera.read(into)
        if frame is None:
            return None
        height, width = frame.image.shape[:2]
        boxes, ids = [], []
        for k, marble in enumerate(self._marbles):
            # Out on one side, and after a while in again on the other, as another marble
            span = width + 6 * marble.radius
            rolled = marble.start + marble.speed * frame.seq + 3 * marble.radius
            box = _paste(frame.image, marble, rolled % span - 3 * marble.radius)
            if box is not None and box[2] >= marble.radius:
                boxes.append(box)
                ids.append(k + self._count * abs(int(rolled // span)))
        y, x = self._rng.integers(0, 64, 2)
        piece = self._tape[y : y + height, x : x + width]
        cv2.add(frame.image, piece, dst=frame.image, dtype=cv2.CV_8U)
        frame.true_boxes = np.array(boxes, np.float32).reshape(-1, 4)
        frame.true_ids = np.array(ids, np.int64)
        return frame

    def close(self) -> None:
        """Close the camera."""
        self._camera.close()


def _sprite(radius: int, colour: tuple[int, int, int]) -> npt.NDArray[np.float32]:
    """A ball lit from the upper left, with a soft edge."""
    axis = (np.arange(2 * radius) + 0.5 - radius) / radius
    x, y = np.meshgrid(axis, axis)
    z = np.sqrt(np.clip(1 - x * x - y * y, 0, None))
    light = np.clip(-0.45 * x - 0.55 * y + 0.7 * z, 0, 1)
    bright = 0.25 + 0.75 * light[..., None]
    shine = 200 * light[..., None] ** 24
    cover = np.clip((1 - np.hypot(x, y)) * radius, 0, 1)[..., None]
    return np.concatenate([np.clip(bright * colour + shine, 0, 255), cover], 2).astype(np.float32)


def _paste(image: Image, marble: _Marble, x: float) -> tuple[int, int, int, int] | None:
    """Draw a marble with its centre at `x`; returns the box of what is in view, or None."""
    height, width = image.shape[:2]
    left, top = round(x) - marble.radius, round(marble.y) - marble.radius
    x0, x1 = max(left, 0), min(left + 2 * marble.radius, width)
    y0, y1 = max(top, 0), min(top + 2 * marble.radius, height)
    if x0 >= x1 or y0 >= y1:
        return None
    sprite = marble.sprite[y0 - top : y1 - top, x0 - left : x1 - left]
    under = image[y0:y1, x0:x1]
    colour, cover = sprite[..., :3], sprite[..., 3:]
    under[:] = np.rint(under + (colour - under) * cover).astype(np.uint8)
    return x0, y0, x1 - x0, y1 - y0
