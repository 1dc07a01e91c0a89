"""What is done with each frame: here you say which stages there are and how they are set."""

from pathlib import Path

import numpy as np

from guide_project.options import Options
from guide_vision.pipeline import (
    Frame,
    MovingObjects,
    Overlay,
    PointTracker,
    Recorder,
    Sink,
    Stage,
    Window,
)


def make_stage(name: str) -> Stage:
    """The stage called `name`."""
    if name == "objects":
        return MovingObjects()
    return PointTracker(count=250)


def make_sinks(options: Options, folder: Path, fps: float) -> list[Sink]:
    """Where pictures go besides the report. A GuideError says why one of them cannot be."""
    sinks: list[Sink] = []
    if options.record:
        sinks.append(Recorder(folder / options.record, fps))
    if options.window:
        sinks.append(Window("guide_project: q closes it"))
    return sinks


def warm_up(stage: str, width: int, height: int) -> None:
    """Run everything on three pictures nobody needs.

    The first call of each OpenCV function builds tables, loads fonts and touches memory for the
    first time; without this the first ticks pay for it. The stage is thrown away afterwards, so
    the real one starts without a past.
    """
    dummy, overlay = make_stage(stage), Overlay()
    noise = np.random.default_rng(0).integers(0, 255, (height, width, 3), np.uint8)
    for k in range(3):
        frame = Frame(np.roll(noise, k, axis=1), seq=k, epoch=0, t_capture_ns=0)
        overlay.draw(frame, dummy.process(frame), ["warm-up"])
