"""The engine of the vision track: source, link, stages, sinks.

A `Source` gives frames. A `Pipeline` takes them through its stages, on as many threads as it is
given, and hands them to the loop: every one of them, or the latest. A stage says what it sees as
an `Observation`, an `Overlay` draws it, a sink takes the picture.
"""

from guide_vision.pipeline.books import Books
from guide_vision.pipeline.frame import Facts, Frame, Image, Matrix, Points, Source
from guide_vision.pipeline.images import Images
from guide_vision.pipeline.link import Link, Sample, link_for
from guide_vision.pipeline.objects import MovingObjects
from guide_vision.pipeline.observation import Observation, Stage, Step
from guide_vision.pipeline.opencv import use_threads
from guide_vision.pipeline.overlay import Overlay
from guide_vision.pipeline.pipeline import Pipeline
from guide_vision.pipeline.points import PointTracker
from guide_vision.pipeline.pool import Pool
from guide_vision.pipeline.process import InProcess
from guide_vision.pipeline.reconnect import Reconnecting
from guide_vision.pipeline.recorder import Recorder
from guide_vision.pipeline.results import Results
from guide_vision.pipeline.sinks import Null, Sink, Window
from guide_vision.pipeline.sources import open_source
from guide_vision.pipeline.stages import STAGES, make_stage
from guide_vision.pipeline.stated import state
from guide_vision.pipeline.tracking import Tracker, TrackMetrics, TrackScore
from guide_vision.pipeline.virtual import VirtualCamera

__all__ = [
    "STAGES",
    "Books",
    "Facts",
    "Frame",
    "Image",
    "Images",
    "InProcess",
    "Link",
    "Matrix",
    "MovingObjects",
    "Null",
    "Observation",
    "Overlay",
    "Pipeline",
    "PointTracker",
    "Points",
    "Pool",
    "Reconnecting",
    "Recorder",
    "Results",
    "Sample",
    "Sink",
    "Source",
    "Stage",
    "Step",
    "TrackMetrics",
    "TrackScore",
    "Tracker",
    "VirtualCamera",
    "Window",
    "link_for",
    "make_stage",
    "open_source",
    "state",
    "use_threads",
]
