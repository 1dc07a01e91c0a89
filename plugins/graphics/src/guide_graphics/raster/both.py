"""The two renderers as one: it draws every frame with both, and shows what they differ by."""

from __future__ import annotations

import contextlib
from typing import Any, cast

from guide.timing import Timeline
from guide_graphics.raster.camera import Camera
from guide_graphics.raster.compare import Difference, amplified, difference
from guide_graphics.raster.renderer import Backend, Frame, open_renderer
from guide_graphics.raster.scene import Scene

_BACKENDS: tuple[Backend, ...] = ("software", "opengl")


class BothRenderer:
    """A renderer whose picture is the difference between the two others.

    On the timeline the phases of each stand under its own name: "render/software/shade",
    "render/opengl/draw". Depth and ids of its frames are the software renderer's.

    Args:
        size: width and height of its frames in pixels.
        timeline: as for `open_renderer`.
        threads: as for `open_renderer`.
        gain: how many times the difference is amplified.

    Attributes:
        difference: of the last frame.

    Raises:
        GuideError: when the size is no size, or OpenGL cannot be had.
    """

    backend = "both"

    def __init__(
        self,
        size: tuple[int, int],
        *,
        timeline: Timeline | None = None,
        threads: int | None = None,
        gain: int = 128,
    ) -> None:
        self._gain = gain
        self.difference = Difference(0, 0, float("inf"))
        with contextlib.ExitStack() as opened:
            self._renderers = []
            for backend in _BACKENDS:
                self._renderers.append(open_renderer(size, backend, threads=threads))
                opened.callback(self._renderers[-1].close)
            self._opened = opened.pop_all()
        self.description = " and ".join(renderer.description for renderer in self._renderers)
        self.timeline = timeline or Timeline(keep=1000)

    @property
    def timeline(self) -> Timeline:
        """Where the phases of both are recorded."""
        return self._timeline

    @timeline.setter
    def timeline(self, timeline: Timeline) -> None:
        self._timeline = timeline
        for renderer in self._renderers:
            renderer.timeline = cast(Timeline, _Under(timeline, renderer.backend))

    def render(self, scene: Scene, camera: Camera, t_s: float = 0.0) -> Frame:
        """Draw `scene` with both; the frame's colours are what they differ by."""
        software, opengl = (r.render(scene, camera, t_s) for r in self._renderers)
        with self._timeline.span("render/compare"):
            self.difference = difference(software.color, opengl.color)
            shown = amplified(software.color, opengl.color, self._gain)
        return Frame(shown, t_s, depth=lambda: software.depth, ids=lambda: software.ids)

    def close(self) -> None:
        """Close both; a second call does nothing."""
        self._opened.close()


class _Under:
    """A timeline on which "render/draw" is recorded as "render/opengl/draw"."""

    def __init__(self, timeline: Timeline, backend: str) -> None:
        self._timeline, self._prefix = timeline, f"render/{backend}/"

    def __getattr__(self, name: str) -> Any:
        attribute = getattr(self._timeline, name)
        if name not in ("span", "site", "lap", "add", "defer"):
            return attribute
        return lambda phase, *rest, **named: attribute(
            phase.replace("render/", self._prefix, 1), *rest, **named
        )
