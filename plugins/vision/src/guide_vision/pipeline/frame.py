"""A frame, what is known of its source, and the interface of every source."""

from __future__ import annotations

from dataclasses import dataclass, field
from typing import Any, Protocol, TypeAlias

import numpy as np
import numpy.typing as npt

Image: TypeAlias = npt.NDArray[np.uint8]
"""Height x width x 3, blue-green-red, top row first: the order of OpenCV. Or a plane, H x W."""

Points: TypeAlias = npt.NDArray[np.float32]
"""N x 2: x to the right, y down, in pixels; (0, 0) is the centre of the top left pixel."""

Matrix: TypeAlias = npt.NDArray[np.floating[Any]]
"""3 x 3, maps column vectors (x, y, 1)."""


Boxes: TypeAlias = npt.NDArray[np.float32]
"""N x 4: left, top, width, height, in pixels."""


@dataclass(slots=True)
class Frame:
    """One picture, where it came from, and what was found in it on its way.

    `image` is a slot of the pipeline's pool: it is yours until you take the next frame. Copy
    what you keep.
    """

    image: Image
    seq: int  # 0, 1, 2 ... as captured: a gap is a frame that was dropped or unreadable
    epoch: int  # raised when the source starts anew: nothing tracked before still holds
    t_capture_ns: int  # on the run's clock
    truth: Matrix | None = None  # from the photograph to this frame, where that is known
    true_boxes: Boxes | None = None  # of the things that move in it, where they are known
    true_ids: npt.NDArray[np.int64] | None = None  # of those, row by row
    unreadable: int = 0  # frames before this one that came damaged, see Books
    slot: int = -1  # of the pool; -1: its memory is none of the pool's
    results: dict[str, Any] = field(default_factory=dict)  # what each stage returned, by its name
    # (stage, began, ended) in ns on the run's clock, in order; the first is the source's
    stamps: list[tuple[str, int, int]] = field(default_factory=list)

    def age_ns(self, now_ns: int) -> int:
        """How old the picture is at `now_ns`: at the end of the pipeline, its latency."""
        return now_ns - self.t_capture_ns


@dataclass(frozen=True, slots=True)
class Facts:
    """What is known of a source once it is open."""

    name: str  # as a person would say it: "clip.mp4", "camera 0"
    width: int
    height: int
    fps: float | None  # None: it does not say
    frames: int | None = None  # how many there are, where that is known
    first_frame_s: float = 10.0  # how long a live source may take to show its first frame
    stall_s: float = 2.0  # how long it may then stay silent
    channels: int = 3  # of a frame: blue, green and red; 1 is a plane of H x W

    @property
    def size(self) -> str:
        """`"640 x 360"`."""
        return f"{self.width} x {self.height}"

    @property
    def shape(self) -> tuple[int, ...]:
        """Of a frame: (H, W, 3), or (H, W) for a plane."""
        return (self.height, self.width, 3)[: 3 if self.channels > 1 else 2]


class Source(Protocol):
    """Where frames come from. Used by one thread, which need not be the one that made it."""

    live: bool  # it goes on whether we read or not

    def open(self) -> Facts:
        """Get ready to read. Raises GuideError, one line with its remedy, when that fails."""
        ...

    def read(self, into: Image | None = None) -> Frame | None:
        """Wait for the next frame.

        Args:
            into: memory to write the picture to, when it has the right shape. A source that
                cannot use it returns memory of its own, so compare before relying on it.

        Returns:
            The frame, or None at the end of a recording.

        Raises:
            GuideError: when the source is broken: a file that is cut off, a dead camera.
        """
        ...

    def close(self) -> None:
        """Release it. Tolerates a source that never opened."""
        ...
