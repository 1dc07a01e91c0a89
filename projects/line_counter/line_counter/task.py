"""The task: one tick takes one frame, counted and drawn, and hands it on."""

from contextlib import ExitStack

import cv2
import numpy as np

from guide.loop import Tick
from guide.run import Run
from guide_vision.pipeline import Facts, Frame, Pipeline, Recorder, Results, Sink, open_source
from guide_vision.pipeline.tracking import TrackMetrics
from line_counter.options import Options
from line_counter.stages import Tally, make_stages


class Task:
    """A fixed camera, the people before it, and a line they cross."""

    def __init__(self) -> None:
        self.pipeline: Pipeline | None = None
        self.sinks: list[Sink] = []
        self.results: Results | None = None
        self.picture = np.zeros((9, 16, 3), np.uint8)
        self.metrics = TrackMetrics()
        self.tally: Tally | None = None

    def start(self, run: Run) -> None:
        """Open the source and state the facts."""
        self.run = run
        self.options = options = run.configure(Options)
        source = open_source(
            options.source,
            clock=run.clock,
            seed=run.seed,
            loop=options.loop,
            stall_s=options.stall_s,
            give_up_s=options.give_up_s,
            stopping=lambda: run.stopping,
            folder=run.project,
        )
        rate_hz = run.loop.rate_hz
        if options.record:
            self.sinks.append(Recorder(run.folder / options.record, rate_hz or 30.0))
        if options.results:
            self.results = Results(run.folder / options.results)
        # frames that are made ahead of their tick only grow old
        workers = 0 if options.workers is None and rate_hz else options.workers
        self.pipeline = Pipeline(
            source,
            make_stages(options),
            workers=workers,
            timeline=run.timeline,
            stopping=lambda: run.stopping,
        )
        facts = self.pipeline.open(warm_up=self.warm_up)
        if source.live:
            run.loop.follow(self.pipeline.wait)  # it keeps its own time
        run.fact("source", facts.name)
        run.fact("size", facts.size)
        run.fact("background", f"{options.background}, {options.work_width} wide")
        run.fact("workers", self.pipeline.workers)
        run.picture(lambda: cv2.cvtColor(self.picture, cv2.COLOR_BGR2RGB), facts.name)

    def warm_up(self, facts: Facts) -> None:
        """Run every stage on pictures nobody needs: first calls load, compile, build tables."""
        noise = np.random.default_rng(0).integers(0, 255, facts.shape, np.uint8)
        stages = make_stages(self.options)
        for k in range(3):
            frame = Frame(noise.copy(), seq=k, epoch=0, t_capture_ns=0)
            for stage in stages:
                frame.results[stage.name] = stage.process(frame)

    def step(self, tick: Tick) -> None:
        """One frame."""
        assert self.pipeline is not None  # start() came first
        frame = self.pipeline.take()
        if frame is None:
            self.run.stop("end of the clip")
            return
        self.picture = frame.image
        seen, self.tally = frame.results["detect"], frame.results["count"]
        self.run.log("latency", frame.age_ns(self.run.clock.now_ns()) / 1e6, "ms")
        self.run.log("people", seen.count)
        self.run.log("crossed", self.tally.entered + self.tally.left)
        self.run.check("boxes", seen.boxes)
        if frame.true_boxes is not None and frame.true_ids is not None:
            self.metrics.add(seen.ids, seen.boxes, frame.true_ids, frame.true_boxes)
        with tick.span("record"):
            if self.results:
                self.results.write(frame, seen)
            for sink in self.sinks:
                sink.write(self.picture)

    def close(self) -> None:
        """Release everything, then say what was counted and whether the books balance."""
        with ExitStack() as closing:  # one that cannot be closed keeps no other from it
            for sink in self.sinks:
                closing.callback(sink.close)
            if self.results:
                closing.callback(self.results.close)
            closing.callback(self.settle)

    def settle(self) -> None:
        """Release the source and say how it went."""
        if self.pipeline is None:
            return
        books = self.pipeline.close()
        if books.captured:
            self.run.note(f"books: {books}")
        if books.delivered:
            self.run.text("Frames, ms (p50 / p99 / max)", self.pipeline.ages.table())
        if self.tally is not None:
            self.run.note(f"crossed the line: {describe(self.tally)}")
        score = self.metrics.score()
        if score.true:
            self.run.note(f"tracking, against the truth: {score}")


def describe(tally: Tally) -> str:
    """`"3 in, 2 out; 5 by the truth"`."""
    text = f"{tally.entered} in, {tally.left} out"
    return text if tally.true_total is None else f"{text}; {tally.true_total} by the truth"
