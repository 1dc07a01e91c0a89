"""Tracks: boxes of one frame matched with those of the frames before, and what that is worth."""

from guide_vision.pipeline.tracking.assignment import assign
from guide_vision.pipeline.tracking.metrics import TrackMetrics, TrackScore

__all__ = ["TrackMetrics", "TrackScore", "assign"]
