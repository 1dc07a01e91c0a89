"""The options of this project: `guide run --NAME VALUE` overrides what pyproject.toml says."""

from dataclasses import dataclass
from typing import Literal

from line_counter.counting import Line


@dataclass(frozen=True)
class Options:
    """What can be chosen without touching the code."""

    source: str = "virtual:crossings"  # or people.avi, 0, http://..., rtsp://...
    line: str = "0.43,0,0.43,1"  # x0,y0,x1,y1 as shares of the picture
    background: Literal["mog2", "fused"] = "mog2"
    work_width: int = 640  # pictures are shrunk to this before anything is looked for
    least_share: float = 0.0012  # smallest thing that counts, as a share of the picture
    workers: int | None = None  # threads for the stages; 0: they run in the tick. None: as fits
    draw: bool = True
    results: str | None = None  # a .csv or .jsonl, written to the run's folder
    record: str | None = None  # a .mp4 or .avi, likewise
    loop: bool = False  # start a file again at its end
    stall_s: float | None = None  # how long a live source may stay silent; None: as fits
    give_up_s: float = 30.0  # how long one that was lost is tried again

    def __post_init__(self) -> None:
        """Refuse what cannot work, in a sentence."""
        Line.parse(self.line, 1, 1)
        if not 64 <= self.work_width <= 4096:
            raise ValueError(f"work_width is 64 to 4096, not {self.work_width}")
        if not 0 < self.least_share < 1:
            raise ValueError(f"least_share is between 0 and 1, not {self.least_share}")
        if self.stall_s is not None and not 0 < self.stall_s <= 3600:
            raise ValueError(f"stall_s is above 0 and at most 3600, not {self.stall_s}")
        if self.workers is not None and not 0 <= self.workers <= 64:
            raise ValueError(f"workers is 0 to 64, not {self.workers}")
