"""What is done with a frame besides finding things in it: one stage each."""

from __future__ import annotations

from collections import deque

import cv2
import numpy as np

from guide_vision.pipeline import Frame, Image

GAIN, FLOOR = 1.08, 12  # of the contrast; darker than that is noise
LAMP = slice(24, 40), slice(296, 324)  # rows and columns in which the lamp is seen
WEIGHTS = (0.299, 0.587, 0.114)  # of red, green and blue in brightness (ITU-R BT.601)
SMALL = (160, 90)  # width and height
LAST = 16  # frames


def rgb(image: Image) -> Image:
    """Red first, or blue first again: OpenCV has it the other way round than everybody else."""
    return np.ascontiguousarray(image[..., ::-1])


class Contrast:
    """Stretches grey levels a little, in place."""

    name = "contrast"

    def process(self, frame: Frame) -> None:
        """Every channel of every pixel alike."""
        image = rgb(frame.image)
        image = np.where(image < FLOOR, FLOOR, image)
        stretched = np.clip(128.5 + (image - 128.0) * GAIN, 0, 255).astype(np.uint8)
        frame.image[:] = rgb(stretched)


class Lamp:
    """How bright it is where the lamp is seen, 0 to 255."""

    name = "lamp"

    def process(self, frame: Frame) -> float:
        """The mean over the lamp's pixels."""
        region = rgb(frame.image)[LAMP]
        total = 0.0
        for row in region:
            for red, green, blue in row:
                total += WEIGHTS[0] * red + WEIGHTS[1] * green + WEIGHTS[2] * blue
        return float(total / (region.shape[0] * region.shape[1]))


class Drift:
    """How far a frame is from what the last few showed: somebody may have moved the camera."""

    name = "drift"

    def __init__(self) -> None:
        self.last: deque[Image] = deque(maxlen=LAST)

    def process(self, frame: Frame) -> float:
        """The mean distance from the median of the last few, of the small grey picture."""
        small = cv2.cvtColor(cv2.resize(frame.image, SMALL), cv2.COLOR_BGR2GRAY)
        self.last.append(np.asarray(small, np.uint8))
        usual = np.median(np.stack(self.last), axis=0)
        return float(np.abs(small - usual).mean())


class Heat:
    """Where things have moved: shown at the end.

    Args:
        of: the name of the stage that finds them.
    """

    name = "heat"

    def __init__(self, of: str) -> None:
        self._of = of
        self.seen = np.zeros((0, 0))
        self.map = np.zeros((0, 0))

    def process(self, frame: Frame) -> None:
        """Add the boxes of a frame, and smooth the map."""
        if self.seen.shape != frame.image.shape[:2]:
            self.seen = np.zeros(frame.image.shape[:2])
        boxes = frame.results[self._of].boxes
        for x, y, width, height in () if boxes is None else boxes.astype(int).tolist():
            self.seen[max(y, 0) : y + height, max(x, 0) : x + width] += 1.0
        self.map = np.asarray(cv2.GaussianBlur(self.seen, (0, 0), 3.0))

    def picture(self) -> Image:
        """The map in colours, red where most was."""
        most = max(float(self.map.max(initial=0.0)), 1.0)
        return np.asarray(cv2.applyColorMap((self.map / most * 255).astype(np.uint8), 2), np.uint8)
