"""What can be set from outside: `guide run --mesh bunny.obj --width 1920 --height 1080`."""

from __future__ import annotations

from dataclasses import dataclass

from guide_graphics.raster.viewer import BackendChoice
from guide_graphics.raster.window import WindowChoice


@dataclass(frozen=True)
class Options:
    """Defaults; pyproject.toml overrides them, and what is typed overrides that."""

    backend: BackendChoice = "software"
    mesh: str = "knot"  # or teapot, or the path of a file
    triangles: int = 70_000  # of a knot or a teapot
    width: int = 1280
    height: int = 720
    threads: int | None = None  # of the software renderer; None: one per CPU
    shadow: int = 1024  # texels along a side of the shadow map; 0: no shadow
    sun_s: float = 48.0  # seconds in which the sun goes round; 0: it stands still
    mipmaps: bool = True
    window: WindowChoice = "auto"
    hud: bool = True
    video: bool = False
    gain: int = 128
    benchmark: bool = False

    def __post_init__(self) -> None:
        for name, low, high, fit in (
            ("width", 16, 8192, 1280),
            ("height", 16, 8192, 720),
            ("triangles", 100, 4_000_000, 70_000),
            ("shadow", 0, 8192, 1024),
            ("sun_s", 0, 86_400, 48),
            ("gain", 1, 255, 128),
        ):
            value = getattr(self, name)
            if not low <= value <= high:
                raise ValueError(f"{name} is {low} to {high}, not {value}: --set {name}={fit}")
        if self.threads is not None and not 1 <= self.threads <= 256:
            raise ValueError(f"threads is 1 to 256, not {self.threads}: --set threads=2")

    @property
    def size(self) -> tuple[int, int]:
        """Width and height of a frame."""
        return self.width, self.height
