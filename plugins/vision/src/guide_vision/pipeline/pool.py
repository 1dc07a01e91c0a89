"""A fixed number of frames' memory, taken once: what bounds a pipeline.

Threads hand over slots, never pixels. Memory that is fresh from the kernel is cleared page by
page as it is first touched; a slot was touched before the first frame came.
"""

from __future__ import annotations

import mmap
import tempfile
from collections import deque
from math import prod
from pathlib import Path

import numpy as np

from guide_vision.pipeline.frame import Frame, Image

_MEMORY_DISK = Path("/dev/shm")  # where Linux keeps files that never see a disk


class Pool:
    """Slots for frames of one shape.

    Args:
        shape: of a frame, (H, W, 3) or (H, W), uint8.
        slots: how many.
        shared: in a file that other processes can map too, for stages that run in one. It has a
            name only until `seal`: a killed run then leaves nothing behind.

    Attributes:
        images: the memory of each slot.
        reallocated: frames that came in other memory than the slot they were given: the camera
            changed its resolution, or the source cannot write where it is told to.
    """

    def __init__(self, shape: tuple[int, ...], slots: int, *, shared: bool = False) -> None:
        self.shape = shape
        self.slots = slots
        self.path: Path | None = None
        self.reallocated = 0
        self._shared = shared
        if shared:
            folder = _MEMORY_DISK if _MEMORY_DISK.is_dir() else None
            with tempfile.NamedTemporaryFile(prefix="guide-", dir=folder, delete=False) as file:
                file.truncate(slots * prod(shape))
            self.path = Path(file.name)
            block = mapped(self.path, shape, slots)
        else:
            block = np.empty((slots, *shape), np.uint8)
        block.fill(0)  # here, and not as the first frames come, the kernel hands out its pages
        self.images: list[Image] = list(block)
        self._free = deque(range(slots))

    @property
    def free(self) -> int:
        """How many slots hold no frame."""
        return len(self._free)

    def take(self) -> int | None:
        """A free slot, the one that was used last: some of it may still be in a cache."""
        return self._free.pop() if self._free else None

    def give(self, slot: int) -> None:
        """Give a slot back."""
        self._free.append(slot)

    def adopt(self, frame: Frame, slot: int) -> None:
        """Note where a frame lies; a slot whose frame came elsewhere goes on with that memory.

        After a change of resolution each slot is so exchanged once, and frames fit again.
        """
        frame.slot = slot
        if frame.image is self.images[slot]:
            return
        self.reallocated += 1
        if not self._shared:
            self.images[slot] = frame.image
        elif frame.image.shape == self.shape:
            np.copyto(self.images[slot], frame.image)  # no other process sees other memory
            frame.image = self.images[slot]

    def seal(self) -> None:
        """Every process that shares the memory has it: take its name away."""
        if self.path is not None:
            self.path.unlink(missing_ok=True)
            self.path = None


def mapped(path: Path, shape: tuple[int, ...], slots: int) -> Image:
    """The memory of a shared pool, slots x shape, in this process."""
    with path.open("r+b") as file:
        return np.frombuffer(mmap.mmap(file.fileno(), 0), np.uint8).reshape(slots, *shape)
