"""The work that every side does, in the same calls: only who runs them, where and when differs.

Decoded picture -> 640 x 360 grey -> MOG2 with shadows -> threshold, opening, two dilations ->
contours -> boxes and a line of text drawn into the full picture -> JPEG of it, quality 80.
"""

from __future__ import annotations

from typing import TypeAlias

import cv2
import numpy as np
import numpy.typing as npt

Image: TypeAlias = npt.NDArray[np.uint8]
Box: TypeAlias = tuple[int, int, int, int]

SMALL = (640, 360)
QUALITY = 80
_LEAST_AREA = 100.0  # of a blob, in pixels of the small picture
_SHADOW = 127  # MOG2's mark for one; 255 is the foreground
KERNEL = cv2.getStructuringElement(cv2.MORPH_ELLIPSE, (3, 3))


class Detector:
    """Finds what moves; one frame at a time and in order, since it learns the background.

    Args:
        reuse: write every intermediate picture to the same memory, by `dst=`; else each call
            makes a new one, as it does in most programs.
    """

    def __init__(self, *, reuse: bool = False) -> None:
        self._model = cv2.createBackgroundSubtractorMOG2(300, 16, detectShadows=True)
        width, height = SMALL
        self._coloured = np.zeros((height, width, 3), np.uint8) if reuse else None
        self._grey, self._mask, self._other = (
            (np.zeros((height, width), np.uint8) if reuse else None) for _ in range(3)
        )

    def small(self, image: Image) -> Image:
        """640 x 360, grey, of a coloured picture or of a plane."""
        if image.ndim == 2:
            return cv2.resize(image, SMALL, dst=self._grey, interpolation=cv2.INTER_AREA)
        coloured = cv2.resize(image, SMALL, dst=self._coloured, interpolation=cv2.INTER_AREA)
        return cv2.cvtColor(coloured, cv2.COLOR_BGR2GRAY, dst=self._grey)

    def moving(self, grey: Image) -> list[Box]:
        """Boxes of what moves in the small picture: left, top, width, height."""
        mask = self._model.apply(grey, self._mask)
        _, mask = cv2.threshold(mask, _SHADOW + 1, 255, cv2.THRESH_BINARY, dst=self._mask)
        opened = cv2.morphologyEx(mask, cv2.MORPH_OPEN, KERNEL, dst=self._other)
        return boxes(cv2.dilate(opened, KERNEL, dst=self._mask, iterations=2))

    def __call__(self, image: Image) -> list[Box]:
        """Both."""
        return self.moving(self.small(image))


def boxes(mask: Image) -> list[Box]:
    """Of the blobs in a mask."""
    contours, _ = cv2.findContours(mask, cv2.RETR_EXTERNAL, cv2.CHAIN_APPROX_SIMPLE)
    large = (contour for contour in contours if cv2.contourArea(contour) >= _LEAST_AREA)
    return [tuple(cv2.boundingRect(contour)) for contour in large]


def draw(image: Image, number: int, found: list[Box]) -> None:
    """Boxes and text, into the full picture or its Y plane."""
    scale = image.shape[1] / SMALL[0]
    colour = (0, 255, 0) if image.ndim == 3 else (255,)
    for left, top, width, height in found:
        corner = round(left * scale), round(top * scale)
        opposite = round((left + width) * scale), round((top + height) * scale)
        cv2.rectangle(image, corner, opposite, colour, 2)
    text = f"frame {number}  moving {len(found)}"
    cv2.putText(image, text, (20, 40), cv2.FONT_HERSHEY_SIMPLEX, 1.0, colour, 2)


def encode(image: Image) -> Image:
    """As JPEG."""
    return cv2.imencode(".jpg", image, [cv2.IMWRITE_JPEG_QUALITY, QUALITY])[1]
