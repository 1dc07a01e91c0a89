"""The software renderer: its phases, and the memory that lives from frame to frame."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any

import numpy as np

from guide.timing import Timeline
from guide_graphics.raster.camera import Camera
from guide_graphics.raster.clipping import GUARD_PIXELS
from guide_graphics.raster.kernel import CACHE
from guide_graphics.raster.renderer import Frame, lit_from
from guide_graphics.raster.scene import F32, I32, Scene, same_geometry
from guide_graphics.raster.software import shade
from guide_graphics.raster.software.cover import PAD, PLANES
from guide_graphics.raster.software.layout import ATTRIBUTES, Layout, lay_out
from guide_graphics.raster.software.simd import LANES
from guide_graphics.raster.software.tiles import draw_tiles, read_tiles
from guide_graphics.raster.software.triangles import cull_and_bin, fill, place
from guide_graphics.raster.software.vertices import transform
from guide_graphics.raster.workers import Workers

TILE_BITS = 6  # 64 x 64 pixels: their depth and triangles fill a first-level cache
_CHUNKS = 64  # of triangles: enough to share out, few enough that their counts stay small


class SoftwareRenderer:
    """Draws on the CPU. See `guide_graphics.raster.renderer.Renderer` for what it promises.

    A frame is made in four phases: vertices are transformed; triangles culled and sorted into
    tiles; each tile is covered, then shaded, every visible pixel once. Threads take chunk after
    chunk and tile after tile from a shared counter. No two of them ever write to one place and
    no sum depends on who was first, so the image is the same for any number of them.

    Coverage and shading take turns, tile by tile: their spans are as long as their share of the
    whole, one behind the other.
    """

    backend = "software"

    def __init__(
        self,
        size: tuple[int, int],
        timeline: Timeline,
        threads: int | None,
        tile_bits: int = TILE_BITS,
    ) -> None:
        width, height = self._size = size
        self._workers = Workers(threads)
        self.timeline = timeline
        threads = self._workers.threads
        self.description = f"numba, {threads} thread{'s' if threads > 1 else ''}"
        if CACHE is None:
            self.description += ", compiled anew at every start"  # `guide doctor` says why
        self._scene: Scene | None = None
        self._bits = tile_bits
        self._tiles_x = (width + (1 << tile_bits) - 1) >> tile_bits
        tiles = self._tiles_x * ((height + (1 << tile_bits) - 1) >> tile_bits)
        self._starts = np.zeros(tiles + 1, np.int32)
        self._items = np.empty(0, np.int32)
        side = 1 << tile_bits
        memory = side * (side + PAD)
        self._depth = np.empty((threads, memory), np.int32)
        self._slots = np.empty((threads, memory), np.int32)
        self._planes = np.empty((threads, 0, PLANES), np.float32)
        self._numbers = np.empty((threads, 0), np.int32)
        self._color = np.empty((height, width), np.int32)

    def render(self, scene: Scene, camera: Camera, t_s: float = 0.0) -> Frame:
        """Draw `scene` as `camera` sees it at time `t_s`."""
        width, height = self._size
        timeline = self.timeline
        layout = self._load(scene)
        view = camera.projection(width / height).astype(np.float64) @ camera.view
        matrices = np.array([view @ mesh.transform for mesh in scene.meshes], np.float32)
        matrices = matrices.reshape(-1, 4, 4)
        with timeline.span("render/vertices"):
            self._transform(layout, matrices)
        with timeline.span("render/setup"):
            self._set_up(layout, matrices)
        began = timeline.now_ns()
        spent = self._draw(layout, scene, camera, view)
        ended = timeline.now_ns()
        share = spent[0] / max(sum(spent), 1)
        middle = began + round((ended - began) * share)
        timeline.add("render/raster", began, middle)
        timeline.add("render/shade", middle, ended)
        color = self._color.view(np.uint8).reshape(height, width, 4)
        read = _Once(lambda: self._read(layout))
        return Frame(color, t_s, depth=lambda: read()[0], ids=lambda: read()[1])

    def close(self) -> None:
        """End the threads; a second call does nothing."""
        self._workers.close()

    def _load(self, scene: Scene) -> Layout:
        if not same_geometry(self._scene, scene):
            self._layout = layout = lay_out(scene)
            chunk = -(-layout.triangles // _CHUNKS)
            self._chunk = max(-(-chunk // LANES) * LANES, 256)
            chunks = -(-layout.triangles // self._chunk)
            self._totals = np.zeros(chunks, np.int32)
            self._counts = np.zeros((chunks, len(self._starts) - 1), np.int32)
            self._make_room(self._chunk, 0)
        self._scene = scene
        return self._layout

    def _make_room(self, segment: int, clipped: int) -> None:
        """Memory for so many survivors of each chunk, and vertices that clipping makes."""
        layout, chunks = self._layout, len(self._totals)
        self._segment = segment
        self._survivors = np.empty((chunks * segment, 4), np.int32)
        self._boxes = np.empty(chunks * segment, np.int32)
        vertices = layout.vertices + clipped
        records = np.empty((vertices, 4), np.int32)
        if hasattr(self, "_records") and clipped:
            records[: layout.vertices] = self._records[: layout.vertices]
        self._records = records
        self._attributes = np.empty((vertices, ATTRIBUTES), np.float32)
        self._attributes[: layout.vertices] = layout.attributes

    def _run(self, job: Callable[[int], None]) -> None:
        """Call `job` with the number of each thread, on it."""
        self._workers.run(job, self._workers.threads)

    def _transform(self, layout: Layout, matrices: F32) -> None:
        counter = np.zeros(1, np.int64)
        gx, gy = self._guard()

        def job(_: int) -> None:
            transform(
                counter,
                layout.chunks,
                matrices,
                layout.positions,
                *self._size,
                gx,
                gy,
                self._records,
            )

        self._run(job)

    def _guard(self) -> tuple[np.float32, np.float32]:
        width, height = self._size
        return np.float32(GUARD_PIXELS / width), np.float32(GUARD_PIXELS / height)

    def _set_up(self, layout: Layout, matrices: F32) -> None:
        counters = np.zeros(2, np.int64)
        gx, gy = self._guard()

        def job(_: int) -> None:
            cull_and_bin(
                counters,
                self._chunk,
                layout.corners,
                layout.mesh_of,
                layout.double_sided,
                self._records,
                self._attributes,
                layout.positions,
                matrices,
                gx,
                gy,
                *self._size,
                self._bits,
                self._segment,
                self._survivors,
                self._boxes,
                self._totals,
                self._counts,
            )

        while True:
            counters[:] = 0, layout.vertices
            self._run(job)
            most, vertices = int(self._totals.max(initial=0)), int(counters[1])
            if most <= self._segment and vertices <= len(self._records):
                break
            # Clipping made more of both than there was room for
            self._make_room(max(2 * most, self._segment), 2 * (vertices - layout.vertices))
        place(self._counts, self._starts)
        total = int(self._starts[-1])
        if len(self._items) < total:
            self._items = np.empty(2 * total, np.int32)
        slots = int(np.diff(self._starts).max(initial=0))
        if self._planes.shape[1] < slots:
            threads = self._workers.threads
            self._planes = np.empty((threads, 2 * slots, PLANES), np.float32)
            self._numbers = np.empty((threads, 2 * slots), np.int32)
        counters[:] = 0

        def put(_: int) -> None:
            fill(
                counters,
                self._totals,
                self._segment,
                self._boxes,
                self._tiles_x,
                self._counts,
                self._items,
            )

        self._run(put)

    def _draw(self, layout: Layout, scene: Scene, camera: Camera, view: Any) -> tuple[int, int]:
        """Draw all tiles; returns the cycles of coverage and of shading, of all threads."""
        width, height = self._size
        surface = surfaces(scene, camera, view, self._size)
        light_colors = np.array([light.color for light in scene.lights], np.float32).reshape(-1, 3)
        ambient = np.asarray(scene.ambient, np.float32)
        background = scene.background_rows(height).view(np.int32).ravel()
        counter = np.zeros(1, np.int64)
        spent = np.zeros((self._workers.threads, 2), np.int64)
        depths = self._records.view(np.float32)

        def job(thread: int) -> None:
            draw_tiles(
                counter,
                spent[thread],
                self._bits,
                width,
                height,
                self._starts,
                self._items,
                self._survivors,
                self._records,
                depths,
                self._attributes,
                layout.mesh_of,
                self._depth[thread],
                self._slots[thread],
                self._planes[thread],
                self._numbers[thread],
                surface,
                light_colors,
                ambient,
                layout.levels,
                layout.level_count,
                layout.texels,
                background,
                self._color,
            )

        self._run(job)
        return int(spent[:, 0].sum()), int(spent[:, 1].sum())

    def _read(self, layout: Layout) -> tuple[F32, I32]:
        """Depth and triangles of the last frame: covered once more, for those who ask."""
        width, height = self._size
        depth = np.empty((height, width), np.float32)
        ids = np.empty((height, width), np.int32)
        counter = np.zeros(1, np.int64)
        depths = self._records.view(np.float32)

        def job(thread: int) -> None:
            read_tiles(
                counter,
                self._bits,
                width,
                height,
                self._starts,
                self._items,
                self._survivors,
                self._records,
                depths,
                self._attributes,
                self._depth[thread],
                self._slots[thread],
                self._planes[thread],
                self._numbers[thread],
                depth,
                ids,
            )

        self._run(job)
        return depth, ids


class _Once:
    """A function that is called when it is first needed."""

    def __init__(self, function: Callable[[], tuple[F32, I32]]) -> None:
        self._function = function
        self._result: tuple[F32, I32] | None = None

    def __call__(self) -> tuple[F32, I32]:
        if self._result is None:
            self._result = self._function()
        return self._result


def surfaces(scene: Scene, camera: Camera, view: Any, size: tuple[int, int]) -> F32:
    """What shading needs to know of each mesh: (meshes, SURFACE), see `shade`."""
    eyes, lights = lit_from(scene, camera)
    table = np.zeros((len(scene.meshes), shade.SURFACE), np.float32)
    for index, mesh in enumerate(scene.meshes):
        row, material = table[index], scene.materials[mesh.material]
        row[shade.TO_EYE : shade.TO_EYE + 9] = _to_eye(view @ mesh.transform, eyes[index], size)
        row[shade.COLOR : shade.COLOR + 3] = np.asarray(material.color) / 255
        row[shade.SPECULAR] = material.specular
        row[shade.HALF_SHININESS] = material.shininess / 2
        row[shade.ALPHA] = material.alpha
        count = 3 * len(scene.lights)
        row[shade.LIGHTS : shade.LIGHTS + count] = lights[index].ravel()
    return table


def _to_eye(matrix: Any, eye: F32, size: tuple[int, int]) -> Any:
    """The way to the eye from what a pixel shows, at pixel (0, 0), and its gain by x and by y.

    The point that pixel (x, y) shows at w = 1 is eye + A^-1 (x', y', 1), where A is what the matrix
    does to directions in clip x, y and w, and x', y' run from -1 to 1. Its length does not matter.
    A parallel projection has no eye: there it is the direction of `eye`, everywhere.
    """
    width, height = size
    linear = np.asarray(matrix, np.float64)[[0, 1, 3], :3]
    try:
        inverse = np.linalg.inv(linear)
    except np.linalg.LinAlgError:
        return np.concatenate([eye, np.zeros(6)])
    by_x, by_y = -inverse[:, 0] * 2 / width, -inverse[:, 1] * 2 / height
    # The centre of pixel 0 lies half a pixel inside
    start = inverse[:, 0] + inverse[:, 1] - inverse[:, 2] + by_x / 2 + by_y / 2
    return np.concatenate([start, by_x, by_y])
