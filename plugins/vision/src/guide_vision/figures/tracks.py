"""The figure of what a tracker is worth when it sees only some of the frames."""

from __future__ import annotations

from typing import Any

import numpy as np
import numpy.typing as npt

from guide_vision.pipeline.crossings import Crossings
from guide_vision.pipeline.frame import Boxes
from guide_vision.pipeline.tracking import Tracker, TrackMetrics, TrackScore
from guide_vision.pipeline.virtual import VirtualCamera

Ids = npt.NDArray[np.int64]

_FRAMES, _EVERY = 200, (1, 2, 3, 4, 6, 8)


def course(frames: int) -> list[tuple[Ids, Boxes]]:
    """True ids and boxes of the things of `virtual:crossings`, frame by frame."""
    source = Crossings(VirtualCamera(noise=0, speed=0), noise=0, seed=1)
    source.open()
    found = []
    for _ in range(frames):
        frame = source.read()
        assert frame is not None
        assert frame.true_ids is not None
        assert frame.true_boxes is not None
        found.append((frame.true_ids, frame.true_boxes))
    source.close()
    return found


def run(truth: list[tuple[Ids, Boxes]], every: int) -> tuple[TrackScore, TrackScore]:
    """Track detections of every n-th frame; what that is worth on those frames, and at all times.

    Detections are the true boxes, off by 2 px, one in ten missing. "At all times" holds the last
    answer against each frame that comes until there is another, as whoever watches it live does.
    """
    rng = np.random.default_rng(1)
    tracker = Tracker(confirm=1, coast=every)
    seen, always = TrackMetrics(), TrackMetrics()
    named, boxes = np.zeros(0, np.int64), np.zeros((0, 4), np.float32)
    for number, (ids, true) in enumerate(truth):
        # Drawn for each frame, so that a frame looks the same whatever is left out
        noise = rng.normal(0, 2, true.shape).astype(np.float32)
        found = rng.random(len(true)) >= 0.1
        if number % every == 0:
            named, boxes = tracker.update((true + noise)[found], float(every))
            seen.add(named, boxes, ids, true)
        always.add(named, boxes, ids, true)
    return seen.score(), always.score()


def worth(quick: bool = False) -> dict[str, Any]:
    """HOTA over how many frames are left out: on those that were seen, and at all times."""
    truth = course(60 if quick else _FRAMES)
    scores = {every: run(truth, every) for every in _EVERY}
    seen = [(every, one.hota) for every, (one, _) in scores.items()]
    always = [(every, one.hota) for every, (_, one) in scores.items()]
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
