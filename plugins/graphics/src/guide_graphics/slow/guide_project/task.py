"""The task: one frame a tick."""

from __future__ import annotations

import contextlib
from dataclasses import replace

import numpy as np

from guide.loop import Tick
from guide.run import Run
from guide_graphics.raster import Frame, Scene, benchmark
from guide_graphics.raster.viewer import Viewer
from guide_project.hopper import Hopper
from guide_project.motion import camera_at
from guide_project.options import Options
from guide_project.picture import Picture
from guide_project.scene import build, hopping


class Task:
    """Moves the camera, draws the scene and shows the frame."""

    def __init__(self) -> None:
        self._open = contextlib.ExitStack()  # closes whatever start() got to, last first
        self._frame: Frame | None = None

    def start(self, run: Run) -> None:
        """Build the scene, open window and renderer, and draw one frame to warm up."""
        options = run.configure(Options)
        self._run, self._benchmark = run, options.benchmark
        self._scene = build(options, run.project)
        self._hopper = Hopper(hopping(), run.seed)
        self._viewer = Viewer(
            run,
            options.size,
            options.backend,
            title="guide_project",
            window="no" if options.benchmark else options.window,
            hud=options.hud and not options.benchmark,
            video=options.video,
            gain=options.gain,
            step_ns=benchmark.STEP_NS if options.benchmark else None,
            preview=not options.benchmark,
        )
        self._open.callback(self._viewer.close)
        self._picture = Picture(options.size, run.folder / "newest.png")
        scene = self._at(0)
        self._viewer.warm_up(scene, camera_at(0.0))
        run.fact("triangles", scene.triangle_count)
        if options.benchmark:
            benchmark.run_free(run)

    def step(self, tick: Tick) -> None:
        """Draw the frame that is due now."""
        viewer = self._viewer
        viewer.begin(tick)
        with tick.span("scene/update"):
            scene = self._at(viewer.t_ns)
            camera = viewer.camera(camera_at(viewer.t_s))
        with tick.span("picture/clear"):
            self._picture.clear()
        viewer.renderer.render(scene, camera, viewer.t_s)  # the shadow came a frame late once
        frame = viewer.renderer.render(scene, camera, viewer.t_s)  # spans "render/..."
        with tick.span("measure"):
            self._measure(frame)
        with tick.span("picture/border"):
            self._frame = self._picture.take(frame)
        with tick.span("picture/keep"):
            self._picture.keep()
        viewer.show(self._frame)
        if self._benchmark and tick.index == benchmark.FRAMES - 1:
            self._run.stop("the benchmark is done")

    def _measure(self, frame: Frame) -> None:
        """How much of the picture the subject takes and how near it is, for the report."""
        seen = (frame.ids >= 0) & (frame.ids < len(self._scene.meshes[0].triangles))
        self._run.log("subject", 100 * float(seen.mean()), "%")
        if seen.any():
            near, middle, far = np.nanpercentile(np.where(seen, frame.depth, np.nan), (5, 50, 95))
            self._run.log("depth", float(middle))
            self._run.log("depth.spread", float(far - near))

    def close(self) -> None:
        """Close renderer and window."""
        if self._frame is not None and self._benchmark:
            benchmark.state_facts(self._run, self._frame)
        self._open.close()

    def _at(self, t_ns: int) -> Scene:
        """The scene as it is at `t_ns`."""
        return replace(self._scene, meshes=[*self._scene.meshes, self._hopper.at(t_ns)])
