"""What becomes of a frame once it is drawn: sky, border, a file for whoever wants to look."""

from __future__ import annotations

from pathlib import Path

import numpy as np

from guide.png import encode_png
from guide_graphics.raster import U8, Frame

FRAME = (236, 232, 222, 255)  # of the border, red, green, blue
BORDER = 8  # pixels
BOTTOM, TOP = np.array((0.36, 0.36, 0.40)), np.array((0.52, 0.62, 0.74))


class Picture:
    """A canvas of its own, so that the renderer's arrays stay as they were drawn.

    Args:
        size: width and height in pixels.
        file: where the newest picture is kept, as a PNG.
    """

    def __init__(self, size: tuple[int, int], file: Path) -> None:
        self.width, self.height = size
        self.canvas: U8 = np.zeros((self.height, self.width, 4), np.uint8)
        self.file = file

    def clear(self) -> None:
        """Sky everywhere, a little brighter to the right, and nothing of the frame before."""
        y, x = np.mgrid[0 : self.height, 0 : self.width]
        share = np.clip(y / self.height + 0.1 * (x / self.width), 0.0, 1.0)[..., None]
        self.canvas[..., :3] = (BOTTOM + (TOP - BOTTOM) * share) * 255.0
        self.canvas[..., 3] = 255

    def take(self, frame: Frame) -> Frame:
        """The same frame on this canvas, with its border."""
        self.canvas[:] = frame.color
        self.border()
        return Frame(self.canvas, frame.t_s, lambda: frame.depth, lambda: frame.ids)

    def border(self) -> None:
        """A line around it."""
        for y in range(self.height):
            edge = min(y, self.height - 1 - y) < BORDER
            for x in range(self.width) if edge else self._sides():
                self.canvas[y, x] = FRAME

    def _sides(self) -> list[int]:
        """The columns of the border at the left and at the right."""
        return [*range(BORDER), *range(self.width - BORDER, self.width)]

    def keep(self) -> None:
        """Write the newest picture, at half its size, for a page that shows it."""
        small = np.ascontiguousarray(self.canvas[::-2, ::2, :3])
        self.file.write_bytes(encode_png(small))
