"""Loops to explain: small tasks on a virtual clock or the machine's, and the records they leave."""

from pathlib import Path

from guide.clock import VirtualClock
from guide.loop import Loop
from guide.record import closing_record, opening_record
from guide.resources import ProcessMeter, Sampler
from guide.run import Run, drive
from guide.threads import ThreadsMeter

MS = 1_000_000


class Stages:
    """Takes a while in each of its stages: on a virtual clock by advancing it.

    Args:
        clock: the virtual clock.
        ms: what each stage takes; a function is asked with the tick's number.
    """

    def __init__(self, clock, **ms):
        self.clock, self.ms = clock, ms

    def start(self, run):
        self.run = run

    def step(self, tick):
        for name, ms in self.ms.items():
            with tick.span(name):
                self.clock.advance(round((ms(tick.index) if callable(ms) else ms) * MS))

    def close(self):
        pass


def record_of(task, *, clock=None, meters=False, threads=2, folder=Path("/nowhere"), **how):
    """The record that `guide run` would write of `task`; `threads`: of the machine."""
    loop = Loop(clock=clock, **how)
    run = Run(loop, project=Path.cwd(), folder=folder)
    sampler = None
    if meters:
        sampler = Sampler([ProcessMeter(), ThreadsMeter()], run.clock.now_ns)
    opening = opening_record("a_loop", "any", loop, {}, 0)
    drive(task, run, on_start=sampler.start if sampler else None)
    if sampler:
        sampler.stop()
    assert run.failure is None, run.failure.traceback
    record = closing_record(opening, run, sampler)
    if not meters:
        record["machine"]["threads"] = threads
    return record


def virtual(ticks=300, rate_hz=100.0, **ms):
    """A record on a virtual clock: what each stage takes, in ms, as `Stages` takes it."""
    clock = VirtualClock()
    return record_of(Stages(clock, **ms), clock=clock, ticks=ticks, rate_hz=rate_hz)
