"""One interface, two renderers: what every backend promises, and how to open one."""

from __future__ import annotations

from collections.abc import Callable
from typing import Literal, Protocol

import numpy as np
import numpy.typing as npt

from guide.errors import GuideError
from guide.timing import Timeline
from guide_graphics.raster.camera import Camera
from guide_graphics.raster.scene import F32, I32, U8, Scene

Backend = Literal["software", "opengl", "auto"]


class Frame:
    """A finished picture. Its arrays are the renderer's own: they hold until its next `render`.

    In all three, row 0 is the bottom of the picture, as in an OpenGL framebuffer.

    Args:
        color: (h, w, 4) uint8: red, green, blue and 255.
        t_s: the time it shows.
        depth: gives the (h, w) float32 depths, 0 near to 1 far, when `depth` is first read.
        ids: gives the (h, w) int32 numbers of the triangles seen, -1 where there is none.
    """

    def __init__(
        self, color: U8, t_s: float, depth: Callable[[], F32], ids: Callable[[], I32]
    ) -> None:
        self.color = color
        self.t_s = t_s
        # Reading these back costs a GPU time and most frames do not need them
        self._read_depth = depth
        self._read_ids = ids
        self._depth: F32 | None = None
        self._ids: I32 | None = None

    @property
    def rgb(self) -> U8:
        """The picture with its top row first: (h, w, 3) uint8, a view of `color`."""
        return self.color[::-1, :, :3]

    @property
    def depth(self) -> F32:
        """Window depth of every pixel: (h, w) float32; 1 where nothing was drawn."""
        if self._depth is None:
            self._depth = self._read_depth()
        return self._depth

    @property
    def ids(self) -> I32:
        """Number of the triangle seen in every pixel: (h, w) int32; -1 for the background."""
        if self._ids is None:
            self._ids = self._read_ids()
        return self._ids


class Renderer(Protocol):
    """Draws scenes of one size. Not for use by two threads at a time."""

    backend: str  # "software" or "opengl"
    description: str  # for people: which processor, driver or number of threads does the work
    timeline: Timeline  # its phases are spans here, named "render/..."

    def render(self, scene: Scene, camera: Camera, t_s: float = 0.0) -> Frame:
        """Draw `scene` as `camera` sees it at time `t_s`."""
        ...

    def close(self) -> None:
        """Give everything back; a second call does nothing."""
        ...


def open_renderer(
    size: tuple[int, int],
    backend: Backend = "auto",
    *,
    timeline: Timeline | None = None,
    threads: int | None = None,
    samples: int = 1,
    preview: bool = False,
) -> Renderer:
    """Open a renderer.

    Args:
        size: width and height of its frames in pixels.
        backend: "software" draws on the CPU, "opengl" through OpenGL (without a display too),
            "auto" takes OpenGL where a context can be had and the CPU otherwise; `description`
            says which it is.
        timeline: where the phases of a frame are recorded as spans.
        threads: how many the software renderer uses; by default one per CPU it may run on.
        samples: of one pixel: 1, or 4 for smooth edges (multisampling). `depth` and `ids` of a
            frame are those at the pixels' centres with either.
        preview: whether something else may draw while the software renderer is being compiled,
            which a machine does once and takes seconds: OpenGL, or coarse points. `description`
            says what draws. Not where `threads` are given.

    Raises:
        GuideError: when the size is no size, or OpenGL was asked for and cannot be had.
    """
    if len(size) != 2 or not all(isinstance(n, int | np.integer) for n in size):
        raise GuideError(f"a size is two whole numbers, not {size!r}")
    width, height = size
    if not (1 <= width <= 8192 and 1 <= height <= 8192):
        raise GuideError(f"a frame of {width}x{height} pixels cannot be drawn", "1 to 8192 can")
    if threads is not None and not 1 <= threads <= 1024:
        raise GuideError(f"{threads} threads cannot draw", "1 to 1024 can")
    if samples not in (1, 4):
        raise GuideError(f"a pixel of {samples} samples cannot be drawn", "take samples=1 or 4")
    timeline = timeline or Timeline(keep=1000)
    if backend in ("opengl", "auto"):
        from guide_graphics.raster.gl.renderer import GlRenderer

        try:
            return GlRenderer(size, timeline, samples)
        except GuideError:
            if backend == "opengl":
                raise
    elif backend != "software":
        raise GuideError(f"no backend {backend!r}", "take software, opengl or auto")
    if preview and threads is None:
        from guide_graphics.raster.kernel import CACHE
        from guide_graphics.raster.software.warm import is_warm

        if CACHE and not is_warm():
            from guide_graphics.raster.software.preview import PreviewRenderer

            return PreviewRenderer(size, timeline, samples)
    from guide_graphics.raster.software.renderer import SoftwareRenderer

    return SoftwareRenderer(size, timeline, threads, samples=samples)


def lit_from(
    scene: Scene, camera: Camera
) -> tuple[npt.NDArray[np.float32], npt.NDArray[np.float32]]:
    """The eye and the lights in the space of every mesh, for light computed there.

    A transform that only turns, shifts and scales keeps angles, so light can be computed in the
    mesh's own space: no vertex attribute needs to be transformed at all.

    Returns:
        Eyes (meshes, 3) and unit directions to the lights (meshes, lights, 3), both float32.
    """
    inverse = np.linalg.inv(transforms_of(scene))
    eyes = (inverse @ (*camera.eye, 1.0))[:, :3]
    directions = np.array([light.direction for light in scene.lights]).reshape(-1, 3)
    lights = directions @ inverse[:, :3, :3].transpose(0, 2, 1)
    lights /= np.linalg.norm(lights, axis=2, keepdims=True)
    return eyes.astype(np.float32), lights.astype(np.float32)


def transforms_of(scene: Scene) -> npt.NDArray[np.float64]:
    """The transforms of all meshes: (meshes, 4, 4)."""
    return np.array([mesh.transform for mesh in scene.meshes], np.float64).reshape(-1, 4, 4)
