"""The task: take a block, look at it, show it. One tick is one block."""

import statistics

import numpy as np

from guide.loop import Tick
from guide.run import Run
from guide_project.analysis import Analyser
from guide_project.options import Options
from guide_project.source import Sweep
from guide_project.spectrogram import HIGH_HZ, LOW_HZ, Spectrogram


class Task:
    """A source, one stage, a sink. Replace: the parts; the shape of a tick may well stay."""

    def __init__(self) -> None:
        self.run: Run | None = None
        self.taken = self.lost = 0
        self.errors_hz: list[float] = []

    def start(self, run: Run) -> None:
        """Open and warm up what a tick needs; the time this takes is not a tick's."""
        options = run.configure(Options)
        rate, block = options.sample_rate, options.block
        self.source = Sweep(
            rate, block, options.tone_db, options.noise_db, options.sweep_s, run.seed
        )
        self.analyser = Analyser(rate, block)
        self.picture = Spectrogram(self.analyser.bin_hz, block // 2 + 1, options.floor_db)
        self.analyser.process(np.zeros(block, np.float32))  # a first transform makes its tables
        run.fact("source", "a tone that sweeps, in noise")
        run.fact("block", f"{block} samples, {1000 * block / rate:.1f} ms")
        run.fact("bin", f"{self.analyser.bin_hz:.3g} Hz")
        run.picture(self.picture.image, f"{LOW_HZ:g} Hz to {HIGH_HZ / 1000:g} kHz; now is right")
        wanted_hz = rate / block
        if run.loop.rate_hz and abs(run.loop.rate_hz / wanted_hz - 1) > 0.01:
            run.note(f"these blocks are not in real time: guide run --rate {wanted_hz:.10g} is")
        self.run = run

    def step(self, tick: Tick) -> None:
        """One block, from the source to the picture."""
        assert self.run is not None  # start() came first
        with tick.span("source"):
            self.source.skip(tick.skipped)  # a slot that was given up is a block nobody took
            block = self.source.read()
        with tick.span("analyse"):
            seen = self.analyser.process(block)
        with tick.span("sink"):
            self.picture.add(seen.spectrum_db)
        self.taken += 1
        self.lost += tick.skipped
        self.errors_hz.append(abs(seen.peak_hz - self.source.truth_hz))
        self.run.log("level", seen.level_db, "dB")
        self.run.log("frequency", seen.peak_hz, "Hz")
        self.run.log("frequency.truth", self.source.truth_hz, "Hz")

    def close(self) -> None:
        """Release everything, then say what it came to. Runs after an error too."""
        if self.run is None or not self.errors_hz:
            return
        self.run.note(f"blocks: {self.taken} taken, {self.lost} lost")
        self.run.note(
            f"accuracy: the frequency is off by {statistics.median(self.errors_hz):.1f} Hz "
            f"(median), {max(self.errors_hz):.0f} Hz at worst, of {self.taken} blocks"
        )
