"""Tracks: boxes of one frame matched with those of the frames before, and what that is worth."""

from guide_vision.pipeline.tracking.assignment import assign
from guide_vision.pipeline.tracking.kalman import BoxFilter
from guide_vision.pipeline.tracking.metrics import TrackMetrics, TrackScore
from guide_vision.pipeline.tracking.tracker import Tracker

__all__ = ["BoxFilter", "TrackMetrics", "TrackScore", "Tracker", "assign"]
