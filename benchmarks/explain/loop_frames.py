"""Renderers with a planted fault, each with its clean twin: see `loop_tasks`."""

from __future__ import annotations

from typing import Any

import numpy as np

from benchmarks.explain.loop_tasks import recorded
from guide.loop import Loop, Tick
from guide.run import Run
from guide_graphics.raster import Material, Mesh, Scene, orbit, teapot
from guide_graphics.raster.viewer import BackendChoice, Viewer

_SIZE = 320, 180


class Drawn:
    """Some teapots beside one another, drawn again and again.

    Args:
        backend: of the renderer.
        triangles: of all teapots together.
        count: of teapots, each a draw call.
    """

    def __init__(self, backend: BackendChoice, triangles: int, count: int) -> None:
        self._backend = backend
        mesh = teapot(max(triangles // count, 32))
        self.scene = Scene([_placed(mesh, i) for i in range(count)], [Material()])

    def start(self, run: Run) -> None:
        """Open the renderer."""
        self.viewer = Viewer(run, _SIZE, self._backend, window="no", threads=1)
        self.camera = orbit(25, 21, 4.0, (0.0, 0.4, 0.0))
        self.viewer.warm_up(self.scene, self.camera)
        run.fact("triangles", self.scene.triangle_count)

    def step(self, tick: Tick) -> None:
        """Draw."""
        self.viewer.begin(tick)
        self.viewer.show(self.viewer.renderer.render(self.scene, self.camera))

    def close(self) -> None:
        """Close the renderer."""
        self.viewer.close()


def _placed(mesh: Mesh, i: int) -> Mesh:
    transform = np.eye(4)
    transform[:3, 3] = 0.1 * (i % 20) - 1, 0, -0.1 * (i // 20)
    return mesh.moved(transform)


def run(name: str, planted: bool, seconds: float) -> dict[str, Any]:
    """Run one of them; returns its record."""
    if name == "triangles":
        # As many as the verdict says are enough
        made = Drawn("software", 200_000 if planted else round(0.1 * _SIZE[0] * _SIZE[1]), 1)
    else:
        made = Drawn("opengl", 32_000, 1_000 if planted else 10)
    return recorded(made, Loop(seconds=seconds), track="graphics")
