"""One view of a scene: its vertices, triangles and tiles, and the memory of all that.

The picture is one pass; what a light sees is another, with another matrix and size.
"""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from guide.errors import GuideError
from guide_graphics.raster.clipping import GUARD_PIXELS
from guide_graphics.raster.scene import F32, I32, U8
from guide_graphics.raster.software.bundles import Drawn, Memory
from guide_graphics.raster.software.cover import PAD, PLANES, REACH
from guide_graphics.raster.software.layout import ATTRIBUTES, Layout
from guide_graphics.raster.software.simd import LANES
from guide_graphics.raster.software.tiles import read_tiles
from guide_graphics.raster.software.triangles import cull_and_bin, fill, place
from guide_graphics.raster.software.vertices import transform
from guide_graphics.raster.workers import Workers

TILE_BITS = 6  # 64 x 64 pixels: their depth and triangles fill a first-level cache
_MOST_ITEMS = 1 << 28  # a gigabyte of them
_CHUNKS = 64  # of triangles: enough to share out, few enough that their counts stay small


class Pass:
    """Vertices, triangles and tiles of one view.

    Args:
        size: width and height in pixels.
        workers: the threads.
        tile_bits: tiles are 2 ** tile_bits pixels wide and high, at most 128 of them in a row.
        samples: of a pixel, 1 or 4.
    """

    def __init__(
        self,
        size: tuple[int, int],
        workers: Workers,
        tile_bits: int = TILE_BITS,
        samples: int = 1,
    ) -> None:
        width, height = self.size = size
        self.tile_bits, self.samples = tile_bits, samples
        self._workers = workers
        side = 1 << tile_bits
        self._tiles_x = -(-width // side)
        if not 4 <= tile_bits <= 6 or max(self._tiles_x, -(-height // side)) > 128:
            raise ValueError(f"tiles of {side} pixels do not suit {width}x{height}")
        self.starts = np.zeros(self._tiles_x * -(-height // side) + 1, np.int32)
        self.items = np.empty(0, np.int32)
        self._memory = [_memory(side, 0, samples) for _ in range(workers.threads)]
        self._guard = np.float32(GUARD_PIXELS / width), np.float32(GUARD_PIXELS / height)

    def load(self, layout: Layout) -> None:
        """Take another scene."""
        self._layout = layout
        chunk = -(-layout.triangles // _CHUNKS)
        self._chunk = max(-(-chunk // LANES) * LANES, 256)
        chunks = -(-layout.triangles // self._chunk)
        self._totals = np.zeros(chunks, np.int32)
        self._counts = np.zeros((chunks, len(self.starts) - 1), np.int32)
        self._records = np.empty((layout.vertices, 4), np.float32)
        self._make_room(self._chunk, 0)

    def run(self, job: Callable[[int], None]) -> None:
        """Call `job` with the number of each thread, on it."""
        self._workers.run(job, self._workers.threads)

    def transform(self, matrices: F32) -> None:
        """Bring the vertices into the window, by a matrix for each mesh, (meshes, 4, 4)."""
        counter, layout = np.zeros(1, np.int64), self._layout
        self.run(
            lambda _: transform(
                counter,
                layout.chunks,
                matrices,
                layout.positions,
                *self.size,
                *self._guard,
                self._records,
            )
        )

    def sort(self, matrices: F32, double_sided: U8) -> None:
        """Find the triangles that can be seen, and list those of each tile."""
        counters, layout = np.zeros(2, np.int64), self._layout
        while True:
            counters[:] = 0, layout.vertices
            self.run(
                lambda _: cull_and_bin(
                    counters,
                    self._chunk,
                    layout.corners,
                    layout.mesh_of,
                    double_sided,
                    self._records,
                    self._attributes,
                    layout.positions,
                    matrices,
                    *self._guard,
                    *self.size,
                    self.tile_bits,
                    REACH if self.samples > 1 else 0,
                    self._segment,
                    self._survivors,
                    self._boxes,
                    self._totals,
                    self._counts,
                )
            )
            most, vertices = int(self._totals.max(initial=0)), int(counters[1])
            if most <= self._segment and vertices <= len(self._records):
                break
            # Clipping made more of both than there was room for
            self._make_room(max(2 * most, self._segment), 2 * (vertices - layout.vertices))
        total = int(self._counts.sum(dtype=np.int64))
        if total > _MOST_ITEMS:
            raise GuideError(
                f"triangles in tiles: {total:,} of them are more than can be listed",
                "take fewer or smaller triangles, or a smaller picture or shadow map",
            )
        place(self._counts, self.starts)
        if len(self.items) < total:
            self.items = np.empty(total + total // 4, np.int32)
        slots = int(np.diff(self.starts).max(initial=0))
        if len(self._memory[0].numbers) <= slots:
            side = 1 << self.tile_bits
            self._memory = [_memory(side, 2 * slots, self.samples) for _ in self._memory]
        counters[:] = 0
        self.run(
            lambda _: fill(
                counters,
                self._totals,
                self._segment,
                self._boxes,
                self._tiles_x,
                self._counts,
                self.items,
            )
        )

    @property
    def drawn(self) -> Drawn:
        """The triangles, for a kernel."""
        return Drawn(
            self._survivors,
            self._records,
            self._attributes,
            self._layout.mesh_of,
        )

    def memory(self, thread: int) -> Memory:
        """That of a thread."""
        return self._memory[thread]

    def read(self, left_out: U8, *, ids: bool = True) -> tuple[F32, I32]:
        """Depths (height, width), 0 to 1, and the triangles seen; without those that `left_out`
        names by a 1 for their mesh.
        """
        width, height = self.size
        depth = np.empty((height, width), np.float32)
        seen = np.empty((height, width) if ids else (0, 0), np.int32)
        counter, drawn = np.zeros(1, np.int64), self.drawn
        self.run(
            lambda thread: read_tiles(
                counter,
                self.tile_bits,
                width,
                height,
                self.starts,
                self.items,
                left_out,
                drawn,
                self._memory[thread],
                depth,
                seen,
            )
        )
        return depth, seen

    def _make_room(self, segment: int, clipped: int) -> None:
        """Memory for so many survivors of each chunk, and vertices that clipping makes."""
        layout, chunks = self._layout, len(self._totals)
        self._segment = segment
        self._survivors = np.empty((chunks * segment, 4), np.int32)
        self._boxes = np.empty(chunks * segment, np.int32)
        records, self._records = self._records, np.empty((layout.vertices + clipped, 4), np.float32)
        self._records[: layout.vertices] = records[: layout.vertices]
        self._attributes = np.empty((layout.vertices + clipped, ATTRIBUTES), np.float32)
        self._attributes[: layout.vertices] = layout.attributes


def _memory(side: int, slots: int, samples: int) -> Memory:
    pixels = side * (side + PAD)
    return Memory(
        depth=np.empty(samples * pixels, np.int32),
        slots=np.empty(samples * pixels, np.int32),
        planes=np.empty((slots + 1, PLANES), np.float32),
        numbers=np.empty(slots + 1, np.int32),
        colors=np.empty(samples * pixels if samples > 1 else 0, np.int32),
        layer=slots,
    )
