"""Where is drawn to: framebuffers, with one sample a pixel or several."""

from __future__ import annotations

from dataclasses import dataclass

import moderngl
import numpy as np

from guide.errors import GuideError
from guide_graphics.raster.scene import F32, I32


@dataclass(frozen=True, eq=False)
class Passes:
    """The two framebuffers of a frame, which share colour and depth."""

    opaque: moderngl.Framebuffer
    blended: moderngl.Framebuffer  # without ids; depth and the colour's alpha stay as they are


class Target:
    """Colour, ids and depth of one size.

    With several samples a pixel colour and depth have as many, and `picture` their mean. There are
    no ids then: which of four triangles would be the pixel's? Whoever asks for ids draws `plain`.

    Args:
        context: it has to be current, here and at every call.
        size: width and height in pixels.
        samples: of one pixel, 1 or 4.

    Raises:
        GuideError: when the driver has not so many samples.
    """

    def __init__(self, context: moderngl.Context, size: tuple[int, int], samples: int) -> None:
        if samples > context.max_samples:
            raise GuideError(
                f"this driver draws at most {context.max_samples} samples a pixel, not {samples}",
                "take samples=1",
            )
        self._context = context
        self._size = size
        color = context.texture(size, 4)
        self._ids = context.texture(size, 1, dtype="i4")
        self._depth = context.depth_texture(size)
        self.picture = context.framebuffer([color])
        self.plain = Passes(
            context.framebuffer([color, self._ids], self._depth),
            _blended(context.framebuffer([color], self._depth)),
        )
        self.passes = self.plain
        if samples > 1:
            fine = context.renderbuffer(size, 4, samples=samples)
            fine_depth = context.depth_renderbuffer(size, samples=samples)
            self.passes = Passes(
                context.framebuffer([fine], fine_depth),
                _blended(context.framebuffer([fine], fine_depth)),
            )

    def resolve(self) -> None:
        """Put the mean of a pixel's samples into `picture`."""
        if self.passes is not self.plain:
            self._context.copy_framebuffer(self.picture, self.passes.opaque)

    def depth(self) -> F32:
        """Depths of `plain`: (h, w) float32."""
        return np.frombuffer(self._depth.read(alignment=1), np.float32).reshape(self._size[::-1])

    def ids(self) -> I32:
        """Ids of `plain`: (h, w) int32."""
        return np.frombuffer(self._ids.read(alignment=1), np.int32).reshape(self._size[::-1])


def _blended(framebuffer: moderngl.Framebuffer) -> moderngl.Framebuffer:
    framebuffer.color_mask = True, True, True, False
    framebuffer.depth_mask = False
    return framebuffer
