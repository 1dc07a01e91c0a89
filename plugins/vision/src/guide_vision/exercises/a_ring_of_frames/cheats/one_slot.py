"""One slot for all, overwritten whatever somebody does with it."""

import numpy as np


def needed(shape, slots):
    return 64 + int(np.prod(shape))


class Ring:
    def __init__(self, memory, shape, slots):
        self.counts = np.frombuffer(memory, np.int64, 8)
        self.frame = np.frombuffer(memory, np.uint8, offset=64)[: int(np.prod(shape))]
        self.frame = self.frame.reshape(shape)
        self.slots = slots

    def put(self, frame):
        if self.counts[0] - self.counts[1] == self.slots:
            return False
        np.copyto(self.frame, frame)
        self.counts[0] += 1
        return True

    def take(self):
        return self.frame if self.counts[0] > self.counts[1] else None

    def done(self):
        self.counts[1] += 1
