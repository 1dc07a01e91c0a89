"""Both meshes again, with mipmaps on both sides."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.graphics.backends import scene
from benchmarks.graphics.scale import Scale
from benchmarks.rows import Row


def rows(scale: Scale) -> Iterator[Row]:
    """Plain moderngl takes the driver's own levels, so its picture is close and not the same."""
    for name in ("a", "b"):
        yield from scene(name, 2, scale, ["plain", "renderer"], mipmaps=True)
