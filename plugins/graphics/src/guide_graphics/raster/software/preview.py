"""Frames from the first moment on, while another process compiles the software renderer.

That takes seconds, once for a machine. Until it is done OpenGL draws, whose frames agree to 2 of
255, and where there is no OpenGL, points. Nothing is compiled in this process, so no frame waits.
"""

from __future__ import annotations

import atexit
import contextlib
import os
import subprocess
import sys
from functools import cache
from threading import Thread

from guide.errors import GuideError
from guide.timing import Timeline
from guide_graphics.raster.camera import Camera
from guide_graphics.raster.renderer import Frame, Renderer
from guide_graphics.raster.scene import Scene
from guide_graphics.raster.software.points import PointRenderer
from guide_graphics.raster.software.renderer import SoftwareRenderer
from guide_graphics.raster.software.warm import warm


class PreviewRenderer:
    """The software renderer, and what stands in for it until it is compiled.

    See `guide_graphics.raster.renderer.Renderer`; `description` says what draws now.

    Args:
        size: width and height of its frames in pixels.
        timeline: where the phases of a frame are recorded as spans.
        samples: of one pixel: 1 or 4.
    """

    backend = "software"

    def __init__(self, size: tuple[int, int], timeline: Timeline, samples: int) -> None:
        self._size, self._samples = size, samples
        self._compilation = compilation()
        self._drawing = _stand_in(size, timeline, samples)
        self._standing_in = True
        self.description = f"{self._drawing.description}, until the software renderer is compiled"

    @property
    def timeline(self) -> Timeline:
        """Where the phases are recorded."""
        return self._drawing.timeline

    @timeline.setter
    def timeline(self, timeline: Timeline) -> None:
        self._drawing.timeline = timeline

    def render(self, scene: Scene, camera: Camera, t_s: float = 0.0) -> Frame:
        """Draw `scene` as `camera` sees it at time `t_s`."""
        if self._standing_in and self._compilation.done:
            self._standing_in = False
            timeline = self.timeline
            self._drawing.close()
            self._drawing = SoftwareRenderer(self._size, timeline, None, samples=self._samples)
            self.description = self._drawing.description
        return self._drawing.render(scene, camera, t_s)

    def close(self) -> None:
        """Close what draws; a second call does nothing. Compiling goes on, for the next one."""
        self._drawing.close()


def _stand_in(size: tuple[int, int], timeline: Timeline, samples: int) -> Renderer:
    from guide_graphics.raster.gl.renderer import GlRenderer

    try:
        return GlRenderer(size, timeline, samples)
    except GuideError:
        return PointRenderer(size, timeline)


@cache
def compilation() -> Compilation:
    """The one of this process, however often a window and with it its renderer is resized."""
    return Compilation()


class Compilation:
    """Kernels on their way: compiled by another process, then loaded here, beside the frames.

    The other process ends with this one, whichever way that ends.

    Attributes:
        process: the one that compiles.
    """

    def __init__(self) -> None:
        if sys.stderr.isatty():
            sys.stderr.write("guide: compiling the software renderer in the background, once\n")
        self._ended = False
        # It shall find what this one has found, and nothing beside it: -P
        path = os.pathsep.join(filter(None, sys.path))
        self.process = subprocess.Popen(
            [sys.executable, "-P", "-m", "guide_graphics.raster.software.warm", "--with-parent"],
            env={**os.environ, "PYTHONPATH": path},
            stdin=subprocess.PIPE,
            stdout=subprocess.DEVNULL,
            stderr=subprocess.PIPE,
            start_new_session=True,  # a Ctrl-C on the terminal is for this process, which may go on
        )
        self._thread = Thread(target=self._follow, name="compilation", daemon=True)
        self._thread.start()
        atexit.register(self.end)

    @property
    def done(self) -> bool:
        """Whether the kernels are loaded."""
        return not self._thread.is_alive()

    def end(self) -> None:
        """End the other process, and what this one does about it; a second call does nothing."""
        self._ended = True
        self.process.kill()
        self._thread.join()
        atexit.unregister(self.end)

    def _follow(self) -> None:
        with self.process as process:
            assert process.stderr is not None
            said = process.stderr.read().decode(errors="replace").strip().splitlines()
        if self._ended:
            return
        if process.returncode:
            why = said[-1] if said else f"exit code {process.returncode}"
            sys.stderr.write(f"guide: compiling beside the frames failed ({why}): done here\n")
        with contextlib.suppress(Exception):  # the renderer meets it again, and says it
            warm()
