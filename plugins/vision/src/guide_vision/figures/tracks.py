"""The figure of what a tracker is worth when it sees only some of the frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from guide_vision.pipeline.frame import Boxes
from guide_vision.pipeline.tracking import Tracker, TrackMetrics

_FRAMES, _EVERY = 300, (1, 2, 3, 4, 6, 8)


def course(frames: int) -> list[Boxes]:
    """True boxes of six things that cross one another, frame by frame: two on each lane."""
    number = np.arange(frames, dtype=np.float64)
    lanes = []
    for k in range(6):
        pace = 3.0 + 0.7 * k
        phase = 90.0 * k + pace * number
        # To the right and back again: a triangle wave, so that no thing ever leaves
        x = np.abs((phase % 1120) - 560) + 10
        y = 60 + 110 * (k // 2) + 18 * np.sin(phase / 45 + k)
        size = np.full(frames, 44.0 + 4 * (k % 2))
        lanes.append(np.stack([x, y, size, size], axis=1))
    return list(np.stack(lanes, axis=1).astype(np.float32))


def run(every: int, frames: int = _FRAMES) -> tuple[float, float, int]:
    """Track detections of every n-th frame; HOTA on those frames, HOTA at all times, switches.

    Detections are the true boxes, off by 2 px, one in ten missing. "At all times" holds the last
    answer against each frame that comes until there is another, as whoever watches it live does.
    """
    rng = np.random.default_rng(1)
    ids = np.arange(6)
    tracker, seen = Tracker(confirm=2, forget=12), TrackMetrics()
    always = TrackMetrics()
    named: npt.NDArray[np.int64] = np.zeros(0, np.int64)
    boxes: Boxes = np.zeros((0, 4), np.float32)
    for number, true in enumerate(course(frames)):
        noise = rng.normal(0, 2, true.shape).astype(np.float32)
        found = rng.random(len(true)) >= 0.1  # drawn in each frame: the same whatever is left out
        if number % every == 0:
            named, boxes = tracker.update((true + noise)[found], float(every))
            seen.add(named, boxes, ids, true)
        always.add(named, boxes, ids, true)
    return seen.score().hota, always.score().hota, seen.score().switches


def worth(quick: bool = False) -> dict[str, Any]:
    """HOTA over how many frames are left out: on those that were seen, and at all times."""
    frames = 60 if quick else _FRAMES
    scores = {every: run(every, frames) for every in (_EVERY[:3] if quick else _EVERY)}
    seen = [(every, hota) for every, (hota, _, _) in scores.items()]
    always = [(every, hota) for every, (_, hota, _) in scores.items()]
    return {
        "lines": {"on the frames it saw": seen, "at all times": always},
        "values": {
            "every_ratio": seen[0][1],
            "third_ratio": seen[2][1],
            "third_always_ratio": always[2][1],
            "last_count": seen[-1][0],
            "last_ratio": seen[-1][1],
            "last_always_ratio": always[-1][1],
        },
    }
