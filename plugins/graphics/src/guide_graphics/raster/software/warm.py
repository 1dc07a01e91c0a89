"""Compile the kernels of the software renderer before a frame needs them.

    python -m guide_graphics.raster.software.warm

Whoever starts it with `--with-parent` keeps its standard input open: when that ends, as it does
when they are killed, so does this process.
"""

from __future__ import annotations

import gc
import os
import sys
from threading import Thread
from typing import Any

from guide.errors import GuideError
from guide.timing import Timeline
from guide_graphics.raster.camera import orbit
from guide_graphics.raster.kernel import CACHE, is_kept
from guide_graphics.raster.meshes.shapes import disc
from guide_graphics.raster.scene import Material, Scene
from guide_graphics.raster.software.renderer import SoftwareRenderer
from guide_graphics.raster.software.tiles import draw_tiles, read_tiles
from guide_graphics.raster.software.triangles import cull_and_bin, fill, place
from guide_graphics.raster.software.vertices import transform

KERNELS: tuple[Any, ...] = (transform, cull_and_bin, place, fill, draw_tiles, read_tiles)


def is_warm() -> bool:
    """Whether all kernels are in the cache."""
    return all(is_kept(kernel) for kernel in KERNELS)


def warm() -> None:
    """Load all kernels into this process; what is not in the cache yet is compiled."""
    renderer = SoftwareRenderer((16, 16), Timeline(keep=16), threads=1)
    try:
        # Each kernel has one signature, whatever it draws: the smallest scene will do
        _ = renderer.render(Scene([disc(1.0)], [Material()]), orbit(0, 45, 3)).ids
    finally:
        renderer.close()


def keep() -> str:
    """Compile what is not in the cache yet; returns the cache's folder.

    Raises:
        GuideError: when there is no folder to keep compiled kernels in.
    """
    if CACHE is None:
        raise GuideError(
            "there is no folder to keep compiled kernels in that can be written",
            "export NUMBA_CACHE_DIR=FOLDER, one that you can write to",
        )
    warm()
    return str(transform.stats.cache_path)  # type: ignore[attr-defined]


def _end_with_parent() -> None:
    while os.read(0, 1):  # until nobody holds the other end; sys.stdin has a lock to die with
        pass
    os._exit(1)


if __name__ == "__main__":
    if "--with-parent" in sys.argv:
        Thread(target=_end_with_parent, daemon=True).start()
    gc.disable()  # a tenth of the time, and the process is over soon
    try:
        keep()
    except GuideError as error:
        sys.exit(f"guide: {error}")
