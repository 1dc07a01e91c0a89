"""Frames from one process to another, through memory that both of them see."""

from math import prod
from mmap import mmap

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]

_HEAD = 128  # two counters, each on a cache line of its own: neither process slows the other one
_WRITTEN, _READ = 0, 8


def needed(shape: tuple[int, ...], slots: int) -> int:
    """How many bytes of memory a ring of so many slots needs, for frames of `shape`, uint8."""
    return _HEAD + slots * prod(shape)


class Ring:
    """Both processes make one, over the same memory. One of them puts, the other one takes."""

    def __init__(self, memory: mmap, shape: tuple[int, ...], slots: int) -> None:
        self.slots = slots
        self.counts = np.frombuffer(memory, np.int64, _HEAD // 8)
        whole = np.frombuffer(memory, np.uint8, slots * prod(shape), _HEAD)
        self.frames = whole.reshape(slots, *shape)

    def put(self, frame: Image) -> bool:
        """Pass a frame on; False when every slot is taken."""
        written = int(self.counts[_WRITTEN])
        if written - int(self.counts[_READ]) == self.slots:
            return False
        np.copyto(self.frames[written % self.slots], frame)
        # Last of all: whoever sees the number must find the frame
        self.counts[_WRITTEN] = written + 1
        return True

    def take(self) -> Image | None:
        """The oldest frame, in place, until `done()`; None when there is none."""
        read = int(self.counts[_READ])
        return None if read == int(self.counts[_WRITTEN]) else self.frames[read % self.slots]

    def done(self) -> None:
        """The frame that was taken last is not needed any more."""
        self.counts[_READ] += 1  # nobody else writes this one
