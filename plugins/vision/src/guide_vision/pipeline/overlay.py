"""Draw what was found: points with trails, boxes with ids, a few lines of text.

By default on a copy that belongs to the overlay, so that the frame stays what the camera saw and
the next stage may still measure in it. The last stage of a pipeline draws on the frame itself:
a copy of 1280 x 720 would cost more than the drawing.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import cast

import cv2
import numpy as np
import numpy.typing as npt

from guide_vision.pipeline.frame import Boxes, Frame, Image
from guide_vision.pipeline.observation import Observation
from guide_vision.pipeline.trails import Trails

Colour = tuple[int, int, int]  # blue, green, red

_INK: Colour = (245, 245, 245)
_DIM: Colour = (190, 185, 175)
_STRAY: Colour = (190, 60, 255)  # points that do not move with the background
_FONT = cv2.FONT_HERSHEY_SIMPLEX
_POINT_TRAIL = 14  # frames
_BOX_TRAIL = 40
_LEAST_HEIGHT = 240
_FAST = 0.012  # of the width in a frame: from here on a point has the last colour
_SUBPIXEL = 2  # bits: whole pixels would make a slow trail jump


def _colours(hues: npt.ArrayLike) -> list[Colour]:
    """Bright colours of the given hues, 0 to 180 as in OpenCV."""
    hsv = np.array([[(hue, 165, 255) for hue in np.asarray(hues)]], np.uint8)
    bgr = cv2.cvtColor(hsv, cv2.COLOR_HSV2BGR)[0]
    return [(int(b), int(g), int(r)) for b, g, r in bgr]


_SPEEDS = _colours(np.linspace(100, 26, 12))  # from blue, at rest, over green to yellow
_IDS = _colours(np.arange(16) * 180 * 0.381966 % 180)  # golden angle: neighbours differ


def _fill(canvas: Image, image: Image) -> None:
    """Copy a picture or a plane to a canvas of the same size, or of a multiple of it."""
    if image.ndim == 2:
        image = cast(Image, cv2.cvtColor(image, cv2.COLOR_GRAY2BGR))
    if canvas.shape == image.shape:
        np.copyto(canvas, image)
    else:
        height, width = canvas.shape[:2]
        cv2.resize(image, (width, height), dst=canvas, interpolation=cv2.INTER_LINEAR)


class Overlay:
    """A canvas that shows a frame with what was found in it."""

    name = "draw"

    def __init__(self) -> None:
        self._canvas: Image = np.zeros((0, 0, 3), np.uint8)  # what is drawn on
        self._own = self._canvas
        self._point_trails = Trails(_POINT_TRAIL)
        self._box_trails = Trails(_BOX_TRAIL)

    def draw(
        self,
        frame: Frame,
        seen: Observation,
        lines: Sequence[str] = (),
        *,
        in_place: bool = False,
    ) -> Image:
        """Draw on a copy of the frame, or on the frame.

        Args:
            frame: what the camera saw.
            seen: what was found in it.
            lines: text for the upper left corner, the first as a title; ASCII.
            in_place: draw on the frame's own memory. One too small for text, or gray, is drawn
                on a new array instead, which then is the frame's image.

        Returns:
            The canvas, BGR, as large as the frame or a whole multiple of it: the frame's image,
            or the overlay's own memory, overwritten by the next call.
        """
        height, width = frame.image.shape[:2]
        zoom = -(-_LEAST_HEIGHT // height)  # text needs pixels: a tiny picture is enlarged
        if in_place and zoom == 1 and frame.image.ndim == 3:
            self._canvas = frame.image
        else:
            shape = (height * zoom, width * zoom, 3)
            if in_place or self._own.shape != shape:
                self._own = np.empty(shape, np.uint8)
            self._canvas = self._own
            _fill(self._own, frame.image)
            if in_place:
                frame.image = self._own
        # A pixel's centre goes to the centre of the zoom x zoom pixels it became
        points = seen.points * np.float32(zoom) + np.float32((zoom - 1) / 2)
        if seen.boxes is None:
            self._draw_points(self._point_trails.update(seen.ids, points), seen.steady)
        else:
            trails = self._box_trails.update(seen.ids, points)
            self._draw_boxes(seen.ids.tolist(), seen.boxes * zoom, trails)
        self._draw_text(lines)
        return self._canvas

    @property
    def _weight(self) -> int:
        height: int = self._canvas.shape[0]
        return max(1, round(height / 480))

    def _draw_trails(self, trails: npt.NDArray[np.float32], colour: Colour, weight: int) -> None:
        """Draw N x length x 2 positions, the older half darker; one call for all of a colour."""
        lines = np.rint(trails * (1 << _SUBPIXEL)).astype(np.int32)
        half = lines.shape[1] // 2
        dark = (colour[0] // 2, colour[1] // 2, colour[2] // 2)
        for part, shade in ((lines[:, half:], dark), (lines[:, : half + 1], colour)):
            cv2.polylines(self._canvas, list(part), False, shade, weight, cv2.LINE_AA, _SUBPIXEL)

    def _draw_points(self, trails: npt.NDArray[np.float32], steady: npt.NDArray[np.bool_]) -> None:
        """Colour says how fast a point moves, or that it goes its own way."""
        step = np.linalg.norm(trails[:, 0] - trails[:, 1], axis=1) / self._canvas.shape[1]
        shade = (step / _FAST * (len(_SPEEDS) - 1)).astype(int).clip(0, len(_SPEEDS) - 1)
        shade[~steady] = len(_SPEEDS)
        dot = (self._weight + 1) << _SUBPIXEL
        for k, colour in enumerate([*_SPEEDS, _STRAY]):
            group = trails[shade == k]
            if len(group):
                self._draw_trails(group, colour, self._weight)
                for x, y in np.rint(group[:, 0] * (1 << _SUBPIXEL)).astype(int).tolist():
                    cv2.circle(self._canvas, (x, y), dot, colour, -1, cv2.LINE_AA, _SUBPIXEL)

    def _draw_boxes(self, ids: list[int], boxes: Boxes, trails: npt.NDArray[np.float32]) -> None:
        canvas, weight = self._canvas, self._weight + 1
        scale = 0.42 * (0.5 + 0.5 * self._weight)
        for row, (identity, box) in enumerate(zip(ids, boxes.tolist(), strict=True)):
            colour = _IDS[identity % len(_IDS)]
            x, y, w, h = (round(v) for v in box)
            self._draw_trails(trails[row : row + 1], colour, self._weight)
            cv2.rectangle(canvas, (x, y), (x + w, y + h), colour, weight, cv2.LINE_AA)
            label = f"#{identity}"
            (tw, th), _ = cv2.getTextSize(label, _FONT, scale, 1)
            top = max(y - th - 8, 0)
            cv2.rectangle(canvas, (x, top), (x + tw + 8, top + th + 8), colour, -1)
            place = (x + 4, top + th + 4)
            cv2.putText(canvas, label, place, _FONT, scale, (20, 20, 20), 1, cv2.LINE_AA)

    def _draw_text(self, lines: Sequence[str]) -> None:
        if not lines:
            return
        canvas = self._canvas
        scale = max(0.4, canvas.shape[0] / 1100)
        sizes = [cv2.getTextSize(line, _FONT, scale, 1)[0] for line in lines]
        step = round(sizes[0][1] * 1.9)
        pad = step // 2
        width = min(max(w for w, _ in sizes) + 2 * pad, canvas.shape[1])
        height = min(step * len(lines) + pad, canvas.shape[0])
        panel = canvas[:height, :width]
        # The picture shows through at a third: text stays readable on white and on black
        cv2.addWeighted(panel, 0.35, panel, 0.0, 0.0, dst=panel)
        for row, line in enumerate(lines):
            place = (pad, step * (row + 1))
            cv2.putText(canvas, line, place, _FONT, scale, _DIM if row else _INK, 1, cv2.LINE_AA)
