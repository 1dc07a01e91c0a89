"""The engine of the vision track: capture, stages, sink.

A `Source` gives frames, a link hands them to the loop (every one of them, or the latest), a
stage says what it sees as an `Observation`, an `Overlay` draws it, a sink takes the picture.
"""

from guide_vision.pipeline.books import Books
from guide_vision.pipeline.frame import Facts, Frame, Image, Matrix, Points, Source
from guide_vision.pipeline.link import Latest, Link, Lossless, link_for
from guide_vision.pipeline.mailbox import Mailbox
from guide_vision.pipeline.objects import MovingObjects
from guide_vision.pipeline.observation import Observation, Stage
from guide_vision.pipeline.opencv import use_threads
from guide_vision.pipeline.overlay import Overlay
from guide_vision.pipeline.points import PointTracker
from guide_vision.pipeline.sinks import Recorder, Sink, Window
from guide_vision.pipeline.sources import open_source
from guide_vision.pipeline.stages import STAGES, make_stage
from guide_vision.pipeline.tracking import Tracker, TrackMetrics, TrackScore
from guide_vision.pipeline.virtual import VirtualCamera

__all__ = [
    "STAGES",
    "Books",
    "Facts",
    "Frame",
    "Image",
    "Latest",
    "Link",
    "Lossless",
    "Mailbox",
    "Matrix",
    "MovingObjects",
    "Observation",
    "Overlay",
    "PointTracker",
    "Points",
    "Recorder",
    "Sink",
    "Source",
    "Stage",
    "TrackMetrics",
    "TrackScore",
    "Tracker",
    "VirtualCamera",
    "Window",
    "link_for",
    "make_stage",
    "open_source",
    "use_threads",
]
