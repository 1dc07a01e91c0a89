"""The task: one frame a tick."""

from __future__ import annotations

import contextlib

import numpy as np

from guide.loop import Tick
from guide.run import Run
from guide_graphics.raster import open_renderer
from guide_graphics.raster.window import open_window
from guide_project.motion import camera_at
from guide_project.options import Options
from guide_project.scene import build


class Task:
    """Moves the camera, draws the scene and shows the frame."""

    def __init__(self) -> None:
        self._open = contextlib.ExitStack()  # closes whatever start() got to, last first

    def start(self, run: Run) -> None:
        """Build the scene, open window and renderer, and draw one frame to warm up."""
        options = run.configure(Options)
        self._run = run
        self._scene = build(options, run.project)
        self._window = open_window(options.size, "guide_project", options.window)
        if self._window:
            self._open.callback(self._window.close)
        # Without a timeline at first: the warm-up, compiling included, is nobody's frame
        self._renderer = open_renderer(options.size, options.backend)
        self._open.callback(self._renderer.close)
        self._frame = self._renderer.render(self._scene, camera_at(0.0))
        self._renderer.timeline = run.timeline

        run.fact("backend", self._renderer.backend)
        run.fact("renderer", self._renderer.description)
        run.fact("triangles", self._scene.triangle_count)
        run.fact("size", f"{options.width}x{options.height}")
        unwanted = "no" if options.window == "no" else "no: there is no display that gives one"
        run.fact("window", "yes" if self._window else unwanted)
        run.picture(lambda: np.ascontiguousarray(self._frame.rgb), "The frame as last drawn.")

    def step(self, tick: Tick) -> None:
        """Draw the frame that is due now."""
        with tick.span("scene/update"):
            camera = camera_at(tick.t_s)
        self._frame = self._renderer.render(self._scene, camera, tick.t_s)  # spans "render/..."
        if self._window:
            with tick.span("present"):
                still_open = self._window.present(self._frame.color)
            if not still_open:
                self._run.stop("the window was closed")

    def close(self) -> None:
        """Close renderer and window."""
        self._open.close()
