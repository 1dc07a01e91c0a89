"""A camera and a worker on a simulated clock."""

from itertools import pairwise

import numpy as np

PERIOD_MS, WORK_MS, FRAMES = 10.0, 12.0, 150


def check(attempt):
    """Ages and drops, as figures; the exercise's bars decide."""
    ages, taken, mailbox = simulate(attempt.Mailbox())
    assert taken, "no frame was ever taken"
    assert all(a < b for a, b in pairwise(taken)), "frames came out twice or in another order"
    left = 0
    while mailbox.take() is not None:
        left += 1
        assert left <= FRAMES, "take() never comes to an end"
    unaccounted = FRAMES - len(taken) - mailbox.dropped - left
    queued, _, _ = simulate(Queue())
    return {
        "p99 age, ms": float(np.percentile(ages, 99)),
        "frames worked on": len(taken),
        "frames unaccounted for": abs(unaccounted),
        "p99 age of a queue, ms": float(np.percentile(queued, 99)),
    }


def simulate(mailbox):
    """Frames are put while work goes on; the ages when it was done, and the numbers taken."""
    ages, taken = [], []
    came, free_ms = 0, 0.0
    while True:
        while came < FRAMES and came * PERIOD_MS <= free_ms:
            mailbox.put({"number": came, "at_ms": came * PERIOD_MS})
            came += 1
        frame = mailbox.take() if came < FRAMES else None
        if frame is not None:
            assert frame["at_ms"] == frame["number"] * PERIOD_MS, "a frame was changed"
            free_ms += WORK_MS
            ages.append(free_ms - frame["at_ms"])
            taken.append(frame["number"])
        elif came < FRAMES:
            free_ms = came * PERIOD_MS  # nothing to do until the next one comes
        else:
            return ages, taken, mailbox


class Queue:
    """What the starter does, to be compared with."""

    def __init__(self):
        self.frames, self.dropped = [], 0

    def put(self, frame):
        """At the end."""
        self.frames.append(frame)

    def take(self):
        """From the beginning."""
        return self.frames.pop(0) if self.frames else None
