"""The task: one frame a tick."""

from __future__ import annotations

import contextlib
from dataclasses import replace

from guide.loop import Tick
from guide.run import Run
from guide_graphics.raster import Frame, Scene, benchmark
from guide_graphics.raster.viewer import Viewer
from scene_viewer.motion import camera_at, sun_at
from scene_viewer.options import Options
from scene_viewer.scene import build


class Task:
    """Moves sun and camera, draws the scene and shows the frame."""

    def __init__(self) -> None:
        self._open = contextlib.ExitStack()  # closes whatever start() got to, last first
        self._frame: Frame | None = None

    def start(self, run: Run) -> None:
        """Build the scene, open window and renderer, and draw one frame to warm up."""
        self._run, self._options = run, (options := run.configure(Options))
        self._scene = build(options, run.project)
        self._height = float(self._scene.meshes[0].positions[:, 1].max())
        self._viewer = Viewer(
            run,
            options.size,
            options.backend,
            title="scene_viewer",
            window="no" if options.benchmark else options.window,
            hud=options.hud and not options.benchmark,
            video=options.video,
            gain=options.gain,
            threads=options.threads,
            step_ns=benchmark.STEP_NS if options.benchmark else None,
        )
        self._open.callback(self._viewer.close)
        self._viewer.warm_up(self._scene, camera_at(0.0, self._height))
        run.fact("mesh", options.mesh)
        run.fact("triangles", self._scene.triangle_count)
        if options.benchmark:
            benchmark.run_free(run)

    def step(self, tick: Tick) -> None:
        """Draw the frame that is due now."""
        viewer = self._viewer
        viewer.begin(tick)
        with tick.span("scene/update"):
            scene = self._at(viewer.t_s)
            camera = viewer.camera(camera_at(viewer.t_s, self._height))
        self._frame = viewer.renderer.render(scene, camera, viewer.t_s)  # spans "render/..."
        viewer.show(self._frame)
        if self._options.benchmark and tick.index == benchmark.FRAMES - 1:
            self._run.stop("the benchmark is done")

    def close(self) -> None:
        """Close renderer and window."""
        if self._frame is not None and self._options.benchmark:
            benchmark.state_facts(self._run, self._frame)
        self._open.close()

    def _at(self, t_s: float) -> Scene:
        """The scene as it is at `t_s`: another light, nothing copied."""
        sky = self._scene.lights[1]
        return replace(self._scene, lights=(sun_at(t_s, self._options.sun_s), sky))
