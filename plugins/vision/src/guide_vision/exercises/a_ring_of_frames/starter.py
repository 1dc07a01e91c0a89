"""Frames from one process to another, through memory that both of them see."""

import pickle
from math import prod
from mmap import mmap

import numpy as np
import numpy.typing as npt

Image = npt.NDArray[np.uint8]


def needed(shape: tuple[int, ...], slots: int) -> int:
    """How many bytes of memory a ring of so many slots needs, for frames of `shape`, uint8."""
    return slots * prod(shape) + 4096


class Ring:
    """Both processes make one, over the same memory. One of them puts, the other one takes."""

    def __init__(self, memory: mmap, shape: tuple[int, ...], slots: int) -> None:
        self.memory, self.shape, self.slots = memory, shape, slots

    def put(self, frame: Image) -> bool:
        """Pass a frame on; False when every slot is taken."""
        data = pickle.dumps(frame)
        self.memory[8 : 8 + len(data)] = data
        self.memory[:8] = len(data).to_bytes(8, "little")
        return True

    def take(self) -> Image | None:
        """The oldest frame, in place, until `done()`; None when there is none."""
        count = int.from_bytes(self.memory[:8], "little")
        return pickle.loads(self.memory[8 : 8 + count]) if count else None

    def done(self) -> None:
        """The frame that was taken last is not needed any more."""
        self.memory[:8] = bytes(8)
