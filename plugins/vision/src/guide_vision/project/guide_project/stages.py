"""What is done with each frame: here you say which stages there are and how they are set."""

from collections.abc import Callable
from pathlib import Path

import numpy as np

from guide_project.options import Options
from guide_vision.pipeline import (
    Facts,
    Frame,
    Image,
    MovingObjects,
    Observation,
    Overlay,
    PointTracker,
    Recorder,
    Sink,
    Stage,
    Window,
)
from guide_vision.pipeline import make_stage as engine_stage


class Draw:
    """The last stage: draws on the frame what the stage before it saw.

    Args:
        of: the name of that stage.
        lines: makes the text in the corner.
    """

    name = "draw"

    def __init__(self, of: str, lines: Callable[[Observation], list[str]]) -> None:
        self._of, self._lines = of, lines
        self._overlay = Overlay()

    def process(self, frame: Frame) -> Image:
        """Draw in place: nobody after this needs the frame as it was."""
        seen = frame.results[self._of]
        return self._overlay.draw(frame, seen, self._lines(seen), in_place=True)


def make_stage(name: str) -> Stage:
    """The stage called `name`: one of these two, set as you like, or one of the engine's."""
    if name == "objects":
        return MovingObjects()
    if name == "points":
        return PointTracker(count=250)
    return engine_stage(name)


def make_sinks(options: Options, folder: Path, fps: float) -> list[Sink]:
    """Where pictures go besides the report. A GuideError says why one of them cannot be."""
    sinks: list[Sink] = []
    if options.record:
        sinks.append(Recorder(folder / options.record, fps))
    if options.window:
        sinks.append(Window("guide_project: q closes it"))
    return sinks


def warm_up(stage: str, facts: Facts) -> None:
    """Run everything on three pictures nobody needs.

    The first call of each OpenCV function builds tables, loads fonts and touches memory for the
    first time; without this the first ticks pay for it. The stage is thrown away afterwards, so
    the real one starts without a past.
    """
    dummy = make_stage(stage)
    draw = Draw(dummy.name, lambda seen: ["warm-up"])
    noise = np.random.default_rng(0).integers(0, 255, facts.shape, np.uint8)
    for k in range(3):
        frame = Frame(np.roll(noise, k, axis=1), seq=k, epoch=0, t_capture_ns=0)
        frame.results[dummy.name] = dummy.process(frame)
        draw.process(frame)
