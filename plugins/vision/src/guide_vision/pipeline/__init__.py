"""The engine of the vision track: capture, stages, sink.

A `Source` gives frames, a link hands them to the loop (every one of them, or the latest), a
stage says what it sees as an `Observation`, an `Overlay` draws it, a sink takes the picture.
"""

from guide_vision.pipeline.books import Books
from guide_vision.pipeline.frame import Facts, Frame, Image, Matrix, Points, Source
from guide_vision.pipeline.images import Images
from guide_vision.pipeline.link import Latest, Link, Lossless, link_for
from guide_vision.pipeline.mailbox import Mailbox
from guide_vision.pipeline.objects import MovingObjects
from guide_vision.pipeline.observation import Observation, Stage
from guide_vision.pipeline.opencv import use_threads
from guide_vision.pipeline.overlay import Overlay
from guide_vision.pipeline.points import PointTracker
from guide_vision.pipeline.reconnect import Reconnecting
from guide_vision.pipeline.recorder import Recorder
from guide_vision.pipeline.results import Results
from guide_vision.pipeline.sinks import Null, Sink, Window
from guide_vision.pipeline.sources import open_source
from guide_vision.pipeline.virtual import VirtualCamera

__all__ = [
    "Books",
    "Facts",
    "Frame",
    "Image",
    "Images",
    "Latest",
    "Link",
    "Lossless",
    "Mailbox",
    "Matrix",
    "MovingObjects",
    "Null",
    "Observation",
    "Overlay",
    "PointTracker",
    "Points",
    "Reconnecting",
    "Recorder",
    "Results",
    "Sink",
    "Source",
    "Stage",
    "VirtualCamera",
    "Window",
    "link_for",
    "open_source",
    "use_threads",
]
