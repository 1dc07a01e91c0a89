"""The task: take a frame that was looked at and drawn, hand it on. One tick is one frame."""

import statistics
from collections import deque
from contextlib import ExitStack

import cv2
import numpy as np

from guide.loop import Tick
from guide.run import Run
from guide_project import hud
from guide_project.extras import Contrast, Drift, Heat, Lamp
from guide_project.options import Options
from guide_project.stages import Draw, make_sinks, make_stage, warm_up
from guide_vision.pipeline import (
    Facts,
    Image,
    Observation,
    Pipeline,
    Sink,
    TrackMetrics,
    open_source,
    use_threads,
)
from guide_vision.pipeline.score import BoxScore

ALARM = 8  # things at once; then what was seen before is kept


class Task:
    """A camera, some stages, an overlay, and any number of sinks."""

    def __init__(self) -> None:
        self.pipeline: Pipeline | None = None
        self.sinks: list[Sink] = []
        self.picture = np.zeros((9, 16, 3), np.uint8)
        self.errors_px: list[float] = []
        self.score = BoxScore()
        self.tracks = TrackMetrics()
        self.latency_ms = 0.0
        self.before: deque[Image] = deque(maxlen=30)  # PNG files

    def start(self, run: Run) -> None:
        """Open the source, warm up, state the facts."""
        self.run = run
        options = run.configure(Options)
        threads = use_threads(options.cv_threads)
        source = open_source(
            options.source,
            clock=run.clock,
            width=options.width,
            height=options.height,
            photo=options.photo,
            noise=options.noise,
            seed=run.seed,
            loop=options.loop,
            stall_s=options.stall_s,
            give_up_s=options.give_up_s,
            stopping=lambda: run.stopping,
            folder=run.project,
        )
        rate_hz = run.loop.rate_hz
        self.sinks = make_sinks(options, run.folder, rate_hz or 30.0)
        self.stage_name = options.stage
        self.stage = make_stage(options.stage)
        self.heat = Heat(self.stage.name)
        workers = options.workers
        if workers is None and rate_hz:
            workers = 0  # frames that are made ahead of their tick only grow old
        self.pipeline = Pipeline(
            source,
            [Contrast(), Lamp(), self.stage, Drift(), self.heat, Draw(self.stage.name, self.lines)],
            workers=workers,
            timeline=run.timeline,
            stopping=lambda: run.stopping,
        )
        facts = self.pipeline.open(warm_up=self.warm_up)
        if source.live:
            run.loop.follow(self.pipeline.wait)  # it keeps its own time
        run.fact("source", facts.name)
        run.fact("size", facts.size)
        run.fact("source fps", facts.fps or "not stated")
        run.fact("OpenCV", f"{cv2.__version__}, {threads} thread(s) a call")
        if rate_hz and facts.fps and not source.live and abs(facts.fps / rate_hz - 1) > 0.01:
            run.note(
                f"{facts.name} has {facts.fps:g} frames a second and is played at {rate_hz:g}: "
                f"guide run --rate {facts.fps:g} shows it at its own speed"
            )
        run.picture(lambda: cv2.cvtColor(self.picture, cv2.COLOR_BGR2RGB), facts.name)

    def warm_up(self, facts: Facts) -> None:
        """Before the first frame is read."""
        self.facts = facts
        warm_up(self.stage_name, facts)

    def lines(self, seen: Observation) -> list[str]:
        """The text on a picture. It shows the latency of one before: its own is not over."""
        return hud.lines(self.facts, seen, self.latency_ms)

    def step(self, tick: Tick) -> None:
        """One frame, from the camera to the sinks."""
        assert self.pipeline is not None  # start() came first
        frame = self.pipeline.take()
        if frame is None:
            self.run.stop("end of the clip")
            return
        seen, self.picture = frame.results[self.stage.name], frame.image
        self.latency_ms = frame.age_ns(self.run.clock.now_ns()) / 1e6
        hud.log(self.run, frame, seen, self.latency_ms)
        self.run.log("lamp", frame.results["lamp"])
        self.run.log("drift", frame.results["drift"])
        with tick.span("alarm"):
            self.watch(seen)
        if seen.error_px is not None:
            self.errors_px.append(seen.error_px)
        if seen.boxes is not None and frame.true_boxes is not None:
            self.score.add(seen.boxes, frame.true_boxes)
            if frame.true_ids is not None:
                self.tracks.add(seen.ids, seen.boxes, frame.true_ids, frame.true_boxes)
        if self.sinks:
            with tick.span("sink"):
                for sink in self.sinks:
                    if not sink.write(self.picture):
                        self.run.stop("the window was closed")

    def watch(self, seen: Observation) -> None:
        """Keep the last pictures, and write them when there is much to see."""
        self.before.append(cv2.imencode(".png", self.picture[::2, ::2])[1])
        if seen.boxes is not None and seen.count >= ALARM:
            for number, picture in enumerate(self.before):
                (self.run.folder / f"alarm-{number}.png").write_bytes(picture.tobytes())
            self.before.clear()

    def close(self) -> None:
        """Release everything."""
        with ExitStack() as closing:  # one that cannot be closed keeps no other from it
            for sink in self.sinks:
                closing.callback(sink.close)
            self.settle()

    def settle(self) -> None:
        """Release the source, then say whether the books balance."""
        pipeline = self.pipeline
        if pipeline is None:
            return
        books = pipeline.close()
        if self.heat.seen.size:
            cv2.imwrite(str(self.run.folder / "heat.png"), self.heat.picture())
        if books.captured:
            self.run.note(f"books: {books}")
        if books.delivered:
            self.run.text("Frames, ms (p50 / p99 / max)", pipeline.ages.table())
        if pipeline.broken:
            self.run.note("the stage {} failed on frame {}".format(*pipeline.broken))
        if pipeline.reconnects:
            self.run.note(f"the source was lost and came back {pipeline.reconnects} times")
        for sink in self.sinks:
            for line in getattr(sink, "notes", list)():
                self.run.note(line)
        if pipeline.reallocated:
            self.run.note(f"{pipeline.reallocated} frames did not fit the memory they were given")
        if self.errors_px:
            worst = max(self.errors_px)
            self.run.note(
                f"accuracy: median motion error {statistics.median(self.errors_px):.3f} px, "
                f"worst {worst:.3f} px, against the truth of {len(self.errors_px)} frames"
            )
        if self.score.true:
            self.run.note(
                f"accuracy: {self.score.recall:.0%} of {self.score.true} true boxes were found, "
                f"{self.score.precision:.0%} of those reported were right"
            )
        if self.tracks.score().true:
            self.run.note(f"tracking: {self.tracks.score()}")
