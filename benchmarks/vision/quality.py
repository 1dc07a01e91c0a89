"""What the fused kernel finds, beside MOG2, where the truth is known."""

from __future__ import annotations

from collections.abc import Iterator

from benchmarks.rows import Row
from benchmarks.vision.scale import Scale
from guide_vision.pipeline import MovingObjects, Pipeline, TrackMetrics, TrackScore, open_source
from guide_vision.pipeline.background import Kind

SEEDS = (1, 2, 3)
FRAMES = 300  # of each
BOUND = 0.1  # HOTA that it may lose; `FusedBackground` publishes it


def score(kind: Kind) -> TrackScore:
    """Of the tracks through that background, over all seeds."""
    metrics = TrackMetrics()
    for seed in SEEDS:
        source = open_source("virtual:crossings", seed=seed)
        pipeline = Pipeline(source, [MovingObjects(background=kind)], workers=0)
        pipeline.open()
        for _ in range(FRAMES):
            frame = pipeline.take()
            assert frame is not None  # the camera has no end
            assert frame.true_ids is not None
            assert frame.true_boxes is not None
            seen = frame.results["detect"]
            first = 10_000 * seed  # nobody is in two films
            metrics.add(seen.ids + first, seen.boxes, frame.true_ids + first, frame.true_boxes)
        pipeline.close()
    return metrics.score()


def rows(scale: Scale) -> Iterator[Row]:
    """One row."""
    fused, mog2 = score("fused"), score("mog2")
    goal = f"HOTA at most {BOUND} lower"
    ok = fused.hota >= mog2.hota - BOUND
    yield Row("quality on truth, fused kernel", _about(fused), f"MOG2 {_about(mog2)}",
              fused.hota / mog2.hota, goal, ok)  # fmt: skip


def _about(score: TrackScore) -> str:
    recall, precision = score.found / score.true, score.found / max(score.seen, 1)
    return f"HOTA {score.hota:.2f}, recall {recall:.2f}, precision {precision:.2f}"
