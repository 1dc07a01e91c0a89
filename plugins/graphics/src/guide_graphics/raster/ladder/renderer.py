"""The readable renderer: four phases, and the buffers that live from frame to frame."""

from __future__ import annotations

import numpy as np

from guide.timing import Timeline
from guide_graphics.raster.camera import Camera
from guide_graphics.raster.clipping import GUARD_PIXELS
from guide_graphics.raster.kernel import CACHE
from guide_graphics.raster.ladder.coverage import FAR, draw_band
from guide_graphics.raster.ladder.packed import Packed, pack
from guide_graphics.raster.ladder.shading import shade_rows
from guide_graphics.raster.ladder.triangles import RECORD, count_bands, fill_bands, set_up
from guide_graphics.raster.ladder.vertices import transform
from guide_graphics.raster.renderer import Frame, lit_from
from guide_graphics.raster.scene import F32, I32, Scene, same_geometry
from guide_graphics.raster.workers import Workers

BAND_ROWS = 16  # enough bands to share out evenly, few enough that long triangles repeat little


class LadderRenderer:
    """Draws on the CPU. See `guide_graphics.raster.renderer.Renderer` for what it promises.

    A frame is made in four phases: vertices are transformed; triangles set up and sorted into
    bands of rows; bands are covered, each by one thread, in the order of submission; bands are
    shaded, every visible pixel once. No two threads ever write to one place, so the image is
    the same for any number of them.
    """

    backend = "ladder"

    def __init__(
        self,
        size: tuple[int, int],
        timeline: Timeline,
        threads: int | None,
        band_rows: int = BAND_ROWS,
    ) -> None:
        width, height = self._size = size
        self._band_rows = band_rows
        self._workers = Workers(threads)
        self.timeline = timeline
        threads = self._workers.threads
        self.description = f"numba, {threads} thread{'s' if threads > 1 else ''}"
        if CACHE is None:
            self.description += ", compiled anew at every start"  # `guide doctor` says why
        self._scene: Scene | None = None
        self._packed: Packed | None = None
        self._clip: F32 = np.empty((0, 4), np.float32)
        self._records: I32 = np.empty((0, RECORD), np.int32)
        self._record_depths: F32 = np.empty((0, 3), np.float32)
        self._count = 0
        self._items: I32 = np.empty(0, np.int32)
        self._starts = np.empty(-(-height // band_rows) + 1, np.int32)
        self._depth = np.empty((height, width), np.int32)
        self._ids = np.empty((height, width), np.int32)
        self._color = np.empty((height, width, 4), np.uint8)

    def render(self, scene: Scene, camera: Camera, t_s: float = 0.0) -> Frame:
        """Draw `scene` as `camera` sees it at time `t_s`."""
        packed = self._load(scene)
        with self.timeline.span("render/vertices"):
            self._transform(packed, scene, camera)
        with self.timeline.span("render/setup"):
            self._set_up(packed)
        with self.timeline.span("render/raster"):
            self._cover()
        with self.timeline.span("render/shade"):
            self._shade(packed, scene, camera)
        return Frame(
            self._color,
            t_s,
            depth=lambda: self._depth.astype(np.float32) / np.float32(FAR),
            ids=lambda: self._ids,
        )

    def records(self) -> tuple[I32, F32]:
        """What set-up made of the last frame's triangles: records and depths (see `set_up`)."""
        return self._records[: self._count], self._record_depths[: self._count]

    def close(self) -> None:
        """End the threads; a second call does nothing."""
        self._workers.close()

    def _load(self, scene: Scene) -> Packed:
        if self._packed is None or not same_geometry(self._scene, scene):
            self._packed = pack(scene)
            self._clip = np.empty((len(self._packed.vertices), 4), np.float32)
            self._grow(len(self._packed.triangles))
        self._scene = scene
        return self._packed

    def _grow(self, records: int) -> None:
        self._records = np.empty((records, RECORD), np.int32)
        self._record_depths = np.empty((records, 3), np.float32)

    def _transform(self, packed: Packed, scene: Scene, camera: Camera) -> None:
        width, height = self._size
        view = camera.projection(width / height).astype(np.float64) @ camera.view
        for index, mesh in enumerate(scene.meshes):
            matrix = (view @ mesh.transform).astype(np.float32)
            first, last = packed.first_vertex[index : index + 2]
            transform(packed.vertices, first, last, matrix, self._clip)

    def _set_up(self, packed: Packed) -> None:
        width, height = self._size
        gx, gy = GUARD_PIXELS / width, GUARD_PIXELS / height
        for _ in range(2):
            self._count = set_up(
                self._clip,
                packed.triangles,
                packed.mesh_of,
                packed.double_sided,
                width,
                height,
                gx,
                gy,
                self._records,
                self._record_depths,
            )
            if self._count <= len(self._records):
                break
            self._grow(self._count)  # clipping made more triangles than there were
        count_bands(self._records, self._count, height, self._band_rows, self._starts)
        if len(self._items) < self._starts[-1]:
            self._items = np.empty(2 * int(self._starts[-1]), np.int32)
        fill_bands(self._records, self._count, height, self._band_rows, self._starts, self._items)

    def _cover(self) -> None:
        def band(number: int) -> None:
            draw_band(
                self._records,
                self._record_depths,
                self._items,
                self._starts[number],
                self._starts[number + 1],
                *self._rows(number),
                self._depth,
                self._ids,
            )

        self._workers.run(band, len(self._starts) - 1)

    def _shade(self, packed: Packed, scene: Scene, camera: Camera) -> None:
        eyes, lights = lit_from(scene, camera)
        light_colors = np.array([light.color for light in scene.lights], np.float32).reshape(-1, 3)
        ambient = np.asarray(scene.ambient, np.float32)
        background = scene.background_rows(self._size[1])

        def band(number: int) -> None:
            shade_rows(
                *self._rows(number),
                self._ids,
                self._clip,
                packed.vertices,
                packed.triangles,
                packed.mesh_of,
                packed.surface,
                packed.texture_of,
                packed.texels,
                eyes,
                lights.reshape(-1, 3),
                light_colors,
                ambient,
                background,
                self._color,
            )

        self._workers.run(band, len(self._starts) - 1)

    def _rows(self, band: int) -> tuple[int, int]:
        rows = self._band_rows
        return band * rows, min((band + 1) * rows, self._size[1])
