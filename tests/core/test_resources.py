import math
import threading
import time

import pytest

from guide.clock import VirtualClock
from guide.resources import ProcessMeter, Reading, Sampler, Usage


def readings(meter):
    return {reading.name: reading for reading in meter.read().readings}


class TestProcessMeter:
    def test_work_is_counted_from_start_on_and_only_grows(self):
        meter = ProcessMeter()
        meter.start()
        first = readings(meter)["cpu"]
        until = time.process_time() + 0.02
        while time.process_time() < until:
            pass
        second = readings(meter)["cpu"]
        assert second.value - first.value >= 0.02
        assert (first.unit, first.kind) == ("s", "total")

    def test_work_of_other_threads_counts(self):
        def burn():
            until = time.thread_time() + 0.02
            while time.thread_time() < until:
                pass

        meter = ProcessMeter()
        meter.start()
        thread = threading.Thread(target=burn)
        thread.start()
        thread.join()
        assert readings(meter)["cpu"].value >= 0.02

    def test_memory_that_is_touched_shows(self):
        meter = ProcessMeter()
        before = readings(meter)["memory"]
        held = bytearray(b"x") * 40_000_000
        after = readings(meter)["memory"]
        assert after.value - before.value > 30_000_000
        assert (after.unit, after.kind) == ("B", "level")
        assert len(held) == 40_000_000


class Steps:
    """A meter that reads out a list; an exception in it is raised."""

    def __init__(self, values, start_error=None):
        self.values, self.start_error = list(values), start_error

    def start(self):
        if self.start_error:
            raise self.start_error

    def read(self):
        value = self.values.pop(0) if len(self.values) > 1 else self.values[0]
        if isinstance(value, Exception):
            raise value
        return Usage((Reading("steps", value, "J", "total", "list"),))


@pytest.fixture
def clock():
    return VirtualClock()


class TestSampler:
    def sampler(self, clock, *meters, **more):
        return Sampler(meters, clock.now_ns, every_s=60, **more)

    def test_each_sample_is_stamped_by_the_clock_it_was_given(self, clock):
        sampler = self.sampler(clock, Steps([1, 2]))
        sampler.sample()
        clock.advance(5)
        sampler.sample()
        assert [(t, r[0].value) for t, r in sampler.samples] == [(0, 1), (5, 2)]
        assert sampler.latest()[0].value == 2

    def test_before_the_first_there_is_nothing(self, clock):
        assert self.sampler(clock).latest() == ()

    def test_starting_takes_a_first_sample_and_stopping_a_last(self, clock):
        sampler = self.sampler(clock, Steps([1, 2]))
        sampler.start()
        clock.advance(9)
        sampler.stop()
        assert [t for t, _ in sampler.samples] == [0, 9]

    def test_stopping_what_never_started_does_nothing(self, clock):
        sampler = self.sampler(clock, Steps([1]))
        sampler.stop()
        assert sampler.samples == []

    def test_it_samples_by_itself_on_a_thread_of_its_own(self, clock):
        seen = threading.Semaphore(0)
        threads = set()

        def note():
            threads.add(threading.current_thread().name)
            seen.release()

        sampler = Sampler([Steps([1])], clock.now_ns, every_s=0.001, on_sample=note)
        sampler.start()
        for _ in range(4):
            assert seen.acquire(timeout=30)
        sampler.stop()
        assert "guide-sampler" in threads

    def test_a_meter_that_raises_is_left_out_and_said_and_the_others_go_on(self, clock):
        sampler = self.sampler(clock, Steps([1, RuntimeError("unplugged")]), Steps([5]))
        for _ in range(3):
            sampler.sample()
        assert [len(r) for _, r in sampler.samples] == [2, 1, 1]
        assert sampler.failed == ["meter Steps stopped: unplugged"]

    def test_a_meter_that_cannot_even_start_is_left_out_too(self, clock):
        sampler = self.sampler(clock, Steps([1], RuntimeError("no device")), Steps([5]))
        sampler.start()
        sampler.stop()
        assert [r.value for r in sampler.latest()] == [5]
        assert sampler.failed == ["meter Steps stopped: no device"]

    def test_a_meter_that_returns_nonsense_is_left_out(self, clock):
        class Nonsense(Steps):
            def read(self):
                return None

        sampler = self.sampler(clock, Nonsense([1]), Steps([math.nan]))
        sampler.sample()
        assert len(sampler.latest()) == 1
        assert len(sampler.failed) == 1

    def test_a_day_of_samples_is_thinned_evenly_and_keeps_first_and_last(self, clock):
        sampler = self.sampler(clock, Steps([1]))
        for i in range(50_001):
            clock.sleep_until(i)
            sampler.sample()
        assert len(sampler.samples) <= 20_001
        assert sampler.samples[0][0] == 0
        assert sampler.samples[-1][0] == 50_000
