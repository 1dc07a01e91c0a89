"""What is done with each frame: find who moves, count who crosses, draw both."""

from dataclasses import dataclass

import cv2
import numpy as np

from guide_vision.pipeline import Frame, Image, MovingObjects, Overlay, Step
from line_counter.counting import Line, LineCounter, feet
from line_counter.options import Options

_GLOW = 12  # frames for which the line stays bright after somebody crossed
_QUIET, _BRIGHT = (200, 190, 80), (90, 255, 140)  # blue, green, red


@dataclass(frozen=True)
class Tally:
    """What was counted up to a frame."""

    line: Line
    entered: int
    left: int
    true_total: int | None  # of the same line, from the truth, where the source knows it
    glow: float  # 1 in the frame somebody crossed in, fading to 0


class Count:
    """Counts who crosses, and where the truth is known, who really did."""

    name = "count"

    def __init__(self, line: str) -> None:
        self._typed = line
        self._shape: tuple[int, ...] = ()
        self._counter: LineCounter
        self._truth: LineCounter
        self._since = _GLOW

    def process(self, frame: Frame) -> Tally:
        """Count in one frame."""
        if frame.image.shape != self._shape:  # at first, and when the camera changed its size
            self._shape = frame.image.shape
            line = Line.parse(self._typed, self._shape[1], self._shape[0])
            self._counter, self._truth = LineCounter(line), LineCounter(line)
        seen = frame.results["detect"]
        boxes = seen.boxes if seen.boxes is not None else np.zeros((0, 4), np.float32)
        self._since += 1
        if self._counter.update(seen.ids, feet(boxes)):
            self._since = 0
        true_total = None
        if frame.true_boxes is not None and frame.true_ids is not None:
            self._truth.update(frame.true_ids, feet(frame.true_boxes))
            true_total = self._truth.total
        glow = max(1 - self._since / _GLOW, 0.0)
        counter = self._counter
        return Tally(counter.line, counter.entered, counter.left, true_total, glow)


class Draw:
    """The last stage: draws on the frame itself."""

    name = "draw"

    def __init__(self) -> None:
        self._overlay = Overlay()

    def process(self, frame: Frame) -> Image:
        """Boxes with their trails, the line, the count."""
        tally = frame.results["count"]
        text = [f"in {tally.entered}   out {tally.left}"]
        if tally.true_total is not None:
            text.append(f"truth: {tally.true_total} crossed")
        canvas = self._overlay.draw(frame, frame.results["detect"], text, in_place=True)
        colour = tuple(
            round(q + (b - q) * tally.glow) for q, b in zip(_QUIET, _BRIGHT, strict=True)
        )
        line = tally.line
        ends = [(round(line.x0), round(line.y0)), (round(line.x1), round(line.y1))]
        cv2.line(canvas, *ends, colour, 2 + round(3 * tally.glow), cv2.LINE_AA)
        return canvas


def make_stages(options: Options) -> list[Step]:
    """The stages, in order."""
    detect = MovingObjects(
        work_width=options.work_width,
        least_share=options.least_share,
        background=options.background,
    )
    stages: list[Step] = [detect, Count(options.line)]
    return [*stages, Draw()] if options.draw else stages
