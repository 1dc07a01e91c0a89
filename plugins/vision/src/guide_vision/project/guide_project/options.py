"""The options of this project: `guide run --set NAME=VALUE` overrides what pyproject.toml says."""

from dataclasses import dataclass
from pathlib import Path
from typing import Literal


@dataclass(frozen=True)
class Options:
    """What can be chosen without touching the code."""

    # virtual, virtual:live, virtual:marbles, virtual:crossings, 0, clip.mp4, a folder or
    # frames/*.png, http://..., rtsp://...
    source: str = "virtual"
    stage: Literal["points", "objects", "flow", "features", "tags", "stabilise"] = "points"
    width: int = 640  # of the virtual camera; what a real camera is asked for
    height: int = 360
    photo: Path | None = None  # what the virtual camera looks at; none: a cup of coffee
    noise: float = 2.0  # of the virtual camera, standard deviation in grey levels
    loop: bool = False  # start a file again at its end
    record: str | None = None  # a .mp4 or .avi, written to the run's folder
    window: bool = False
    stall_s: float | None = None  # how long a live source may stay silent; None: as fits
    give_up_s: float = 30.0  # how long one that was lost is tried again; 0: not at all
    workers: int | None = None  # threads for the stages; 0: they run in the tick. None: as fits
    cv_threads: int = 1  # threads of one OpenCV call

    def __post_init__(self) -> None:
        """Refuse what cannot work, in a sentence."""
        if min(self.width, self.height) < 64:
            raise ValueError(f"a picture of {self.width} x {self.height} is too small to track in")
        if max(self.width, self.height) > 8192:
            raise ValueError(f"width and height are at most 8192, not {self.width} x {self.height}")
        # Written this way round, nan is refused as well
        if not 0 <= self.noise <= 255:
            raise ValueError(f"noise is 0 to 255, not {self.noise}")
        if self.stall_s is not None and not 0 < self.stall_s <= 3600:
            raise ValueError(f"stall_s is above 0 and at most 3600, not {self.stall_s}")
        if not 0 <= self.give_up_s <= 86400:
            raise ValueError(f"give_up_s is 0 to 86400, not {self.give_up_s}")
        if self.workers is not None and not 0 <= self.workers <= 64:
            raise ValueError(f"workers is 0 to 64, not {self.workers}")
        if not 1 <= self.cv_threads <= 256:
            raise ValueError(f"cv_threads is 1 to 256, not {self.cv_threads}")
