"""Pipelines with a planted fault, each with its clean twin: see `loop_tasks`."""

from __future__ import annotations

import time
from typing import Any

import cv2
import numpy as np

from benchmarks.explain.loop_tasks import recorded
from guide.loop import Loop, Tick
from guide.run import Run
from guide_vision.pipeline import Facts, Frame, Image, Pipeline, state

_SHAPE = (360, 640, 3)


class Film:
    """Frames of noise, as fast as they are asked for; or live, so many a second.

    Args:
        rate_hz: None: not live.
        keeps: a live one hands out every frame, however late, as a driver's queue does.
    """

    def __init__(self, rate_hz: float | None = None, keeps: bool = False) -> None:
        self.live = rate_hz is not None
        self._period_ns = round(1e9 / rate_hz) if rate_hz else 0
        self._keeps, self._seq, self._begun_ns = keeps, 0, 0
        self._picture = np.random.default_rng(0).integers(0, 255, _SHAPE, np.uint8)

    def open(self) -> Facts:
        """Begin."""
        self._begun_ns = time.perf_counter_ns()
        return Facts("noise", _SHAPE[1], _SHAPE[0], None)

    def read(self, into: Image | None = None) -> Frame | None:
        """The next frame, when it is there."""
        now_ns = time.perf_counter_ns()
        if self._period_ns and not self._keeps:
            self._seq = max(self._seq, (now_ns - self._begun_ns) // self._period_ns)
        due_ns = self._begun_ns + self._seq * self._period_ns if self._period_ns else now_ns
        time.sleep(max(due_ns - now_ns, 0) / 1e9)
        image = self._picture if into is None else into
        image[:] = self._picture
        self._seq += 1
        return Frame(image, self._seq - 1, 0, max(due_ns, self._begun_ns))

    def close(self) -> None:
        """Nothing to release."""


class Stage:
    """Takes so long: sleeping, which no other load on the machine changes, or in OpenCV."""

    def __init__(self, name: str, ms: float, cv_threads: int = 0) -> None:
        self.name, self._ms, self._threads = name, ms, cv_threads
        self._soft, self._softer = np.empty((2, *_SHAPE), np.uint8)

    def process(self, frame: Frame) -> Any:
        """Work on a frame."""
        if self._threads:
            cv2.setNumThreads(self._threads)
            cv2.GaussianBlur(frame.image, (9, 9), 0, dst=self._soft)
            return cv2.medianBlur(self._soft, 5, dst=self._softer)
        time.sleep(self._ms / 1e3)
        return None


class Through:
    """Takes frames out of a pipeline."""

    def __init__(self, source: Film, stages: list[Stage], **how: Any) -> None:
        self._source, self._stages, self._how = source, stages, how

    def start(self, run: Run) -> None:
        """Open the pipeline."""
        self.run = run
        self.pipeline = Pipeline(self._source, self._stages, timeline=run.timeline, **self._how)
        self.pipeline.open()
        if self._source.live:
            run.loop.follow(self.pipeline.wait)

    def step(self, tick: Tick) -> None:
        """Take a frame."""
        frame = self.pipeline.take()
        if frame is None:
            self.run.stop("end")
            return
        self.run.log("latency", frame.age_ns(self.run.clock.now_ns()) / 1e6, "ms")

    def close(self) -> None:
        """Close the pipeline."""
        self.pipeline.close()
        state(self.run, self.pipeline)


def task(name: str, planted: bool) -> tuple[Through, float | None]:
    """A task by name, and its rate."""
    if name == "one stage limits":
        heavy = [Stage("detect", 12)] if planted else [Stage("detect", 6), Stage("refine", 6)]
        return Through(Film(), [Stage("decode", 4), *heavy, Stage("draw", 2)], workers=3), None
    if name == "OpenCV's threads":
        count = 4 if planted else 1
        stages = [Stage(each, 0, count) for each in ("blur", "sharpen")]
        return Through(Film(), stages, workers=2), None
    if name == "frames are lost":
        stage = Stage("detect", 30 if planted else 5)
        return Through(Film(50), [stage], workers=1), 50
    link: Any = "lossless" if planted else "latest"
    film = Film(50, keeps=True) if planted else Film(50)
    return Through(film, [Stage("detect", 26 if planted else 5)], workers=1, link=link), 50


TASKS = ("one stage limits", "OpenCV's threads", "frames are lost", "latency grows")


def run(name: str, planted: bool, seconds: float) -> dict[str, Any]:
    """Run one of them; returns its record."""
    made, rate_hz = task(name, planted)
    return recorded(made, Loop(rate_hz, seconds=seconds), track="vision")
