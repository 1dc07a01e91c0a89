"""What can be set from outside: `guide run --set width=1280 --set height=720`."""

from __future__ import annotations

from dataclasses import dataclass

from guide_graphics.raster import Backend
from guide_graphics.raster.window import WindowChoice


@dataclass(frozen=True)
class Options:
    """Defaults; pyproject.toml overrides them, and `--set` overrides that."""

    backend: Backend = "software"
    mesh: str = "teapot"
    triangles: int = 10_000
    width: int = 640
    height: int = 360
    window: WindowChoice = "auto"

    def __post_init__(self) -> None:
        if not (16 <= self.width <= 8192 and 16 <= self.height <= 8192):
            raise ValueError(f"width and height are 16 to 8192, not {self.width} x {self.height}")
        if not 1 <= self.triangles <= 4_000_000:
            raise ValueError(f"triangles are 1 to 4,000,000, not {self.triangles}")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of a frame."""
        return self.width, self.height
