"""Getting frames back: at once, or some frames later from a ring of pixel buffers."""

from __future__ import annotations

from typing import Generic, TypeVar

import moderngl

from guide_graphics.raster.scene import U8

T = TypeVar("T")


class Readback(Generic[T]):
    """Hands over every frame, `latency` frames after it was drawn.

    To read a frame at once, the CPU waits until the device has drawn it, and then the device until
    the CPU has prepared the next. A copy into a pixel buffer is only queued, and fetched when it
    has long been made: neither waits, and the picture is that much older.

    Args:
        context: it has to be current, here and at every call.
        size: width and height of the frames in pixels.
        latency: 0 reads at once.
    """

    def __init__(self, context: moderngl.Context, size: tuple[int, int], latency: int) -> None:
        frame_bytes = size[0] * size[1] * 4
        self._buffers = [context.buffer(reserve=frame_bytes) for _ in range(latency + 1)]
        self._notes: list[T | None] = [None] * (latency + 1)
        self._frames = 0

    @property
    def slot(self) -> int:
        """The place of the frame that is being drawn, 0 to `latency`."""
        return self._frames % len(self._buffers)

    def swap(self, framebuffer: moderngl.Framebuffer, note: T, color: U8) -> T:
        """Take in a frame with a note on it, and fetch the one that is due into `color`.

        Returns the note of that one: of the first frame until there are enough.
        """
        if len(self._buffers) == 1:
            framebuffer.read_into(color, components=4)
            return note
        framebuffer.read_into(self._buffers[self.slot], components=4)
        self._notes[self.slot] = note
        due = max(self._frames - len(self._buffers) + 1, 0) % len(self._buffers)
        self._frames += 1
        self._buffers[due].read_into(color)
        fetched = self._notes[due]
        assert fetched is not None  # it was put there when that frame was taken in
        return fetched
