"""What can be set from outside: `guide run --set width=1280 --set height=720`."""

from __future__ import annotations

from dataclasses import dataclass

from guide_graphics.raster.viewer import BackendChoice
from guide_graphics.raster.window import WindowChoice


@dataclass(frozen=True)
class Options:
    """Defaults; pyproject.toml overrides them, and `--set` overrides that."""

    backend: BackendChoice = "software"
    mesh: str = "teapot"
    triangles: int = 10_000
    width: int = 640
    height: int = 360
    window: WindowChoice = "auto"
    hud: bool = True
    video: bool = False
    gain: int = 128
    benchmark: bool = False

    def __post_init__(self) -> None:
        for name, low, high, fit in (
            ("width", 16, 8192, 640),
            ("height", 16, 8192, 360),
            ("triangles", 1, 4_000_000, 10_000),
            ("gain", 1, 255, 128),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} is {low} to {high}, not {value}: --set {name}={fit}")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of a frame."""
        return self.width, self.height
