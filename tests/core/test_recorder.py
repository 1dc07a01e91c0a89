"""What a thread records, and what is worked out of it later, however often it is asked for."""

import random
import threading

import pytest

from guide import recorder
from guide.clock import VirtualClock
from guide.loop import Loop
from guide.timing import Timeline


@pytest.fixture
def clock():
    return VirtualClock()


def spans(timeline):
    return [(s.name, s.start_ns, s.end_ns) for s in timeline.spans()]


class TestSites:
    def test_a_site_is_entered_any_number_of_times_also_within_itself(self, clock):
        timeline = Timeline(clock)
        site = timeline.site("deep")

        def enter(depth):
            with site:
                clock.advance(1)
                if depth:
                    enter(depth - 1)

        enter(3)
        enter(0)
        assert spans(timeline) == [
            ("deep", 3, 4),
            ("deep", 2, 4),
            ("deep", 1, 4),
            ("deep", 0, 4),
            ("deep", 4, 5),
        ]

    def test_a_lap_without_a_name_ends_no_phase(self, clock):
        timeline = Timeline(clock)
        begin, work = timeline.lap(""), timeline.lap("work")
        clock.advance(5)
        begin()
        clock.advance(2)
        work()
        assert [(s.name, s.start_ns, s.end_ns) for s in timeline.spans()] == [("work", 5, 7)]

    @pytest.mark.parametrize("seed", range(10))
    def test_reading_in_the_middle_changes_nothing(self, clock, seed):
        """Whatever nests in whatever, and whenever somebody folds."""
        rng = random.Random(seed)
        timeline, expected = Timeline(clock), []
        lap = timeline.lap("lap")
        last_lap = None

        def work(depth):
            nonlocal last_lap
            for _ in range(rng.randrange(4)):
                name, start = rng.choice("abc"), clock.now_ns()
                with timeline.span(name):
                    clock.advance(rng.randrange(3))
                    if rng.random() < 0.3:
                        timeline.fold()
                    if depth < 4:
                        work(depth + 1)
                expected.append((name, start, clock.now_ns()))
                if rng.random() < 0.3:
                    lap()
                    if last_lap is not None:
                        expected.append(("lap", last_lap, clock.now_ns()))
                    last_lap = clock.now_ns()

        for _ in range(20):
            work(0)
        assert spans(timeline) == expected

    def test_on_an_interpreter_that_binds_c_functions_it_is_an_ordinary_method(
        self, clock, monkeypatch
    ):
        monkeypatch.setattr(recorder, "_works", lambda: False)
        timeline = Timeline(clock)
        with timeline.span("a"):
            clock.advance(2)
        assert spans(timeline) == [("a", 0, 2)]

    def test_on_this_interpreter_no_python_frame_is_entered(self):
        assert recorder._works()

    def test_what_a_site_s_block_raises_comes_out(self, clock):
        site = Timeline(clock).site("a")
        with pytest.raises(ZeroDivisionError), site:
            raise ZeroDivisionError


class TestMisuse:
    def test_a_site_entered_on_another_thread_is_found_when_checked(self, clock):
        timeline = Timeline(clock, checked=True)
        site, said = timeline.site("mine"), []

        def enter():
            try:
                with site:
                    pass
            except RuntimeError as error:
                said.append(str(error))

        stranger = threading.Thread(target=enter, name="stranger")
        stranger.start()
        stranger.join()
        assert "'mine' belongs to thread 'MainThread'" in said[0]
        assert "entered on 'stranger'" in said[0]
        with site:
            clock.advance(1)
        assert spans(timeline) == [("mine", 0, 1)]

    def test_a_name_for_every_item_does_not_grow_for_ever(self, clock, monkeypatch):
        monkeypatch.setattr("guide.timing._MOST_NAMES", 10)
        timeline = Timeline(clock)
        for i in range(50):
            with timeline.span(f"item {i}"):
                pass
        stats = timeline.stats()
        assert len(stats) <= 11
        assert stats["(more names)"].count >= 40


class TestDisabled:
    def test_nothing_is_recorded_and_everything_still_works(self, clock):
        timeline = Timeline(clock, enabled=False)
        lap = timeline.lap("lap")
        with timeline.span("a"), timeline.span("b", flow=3), timeline.site("c"):
            lap()
        for tick in Loop(100, ticks=2, timeline=timeline):
            with tick.span("d"):
                pass
        with pytest.raises(KeyError), timeline.span("e"):
            raise KeyError
        assert spans(timeline) == []


class TestLanes:
    def test_a_thread_that_got_the_number_of_an_earlier_one_has_a_lane_of_its_own(self, clock):
        timeline = Timeline(clock)

        def work():
            with timeline.span("work"):
                pass

        for i in range(5):  # one after the other: the system hands out the same number again
            thread = threading.Thread(target=work, name=f"worker {i}")
            thread.start()
            thread.join()
        lanes = {span.lane for span in timeline.spans()}
        assert len(lanes) == 5
        assert {timeline.lanes[lane] for lane in lanes} == {f"worker {i}" for i in range(5)}

    def test_a_thread_that_has_ended_is_forgotten_once_it_is_read(self, clock):
        timeline = Timeline(clock)
        with timeline.span("here"):
            pass
        for _ in range(20):
            thread = threading.Thread(target=lambda: timeline.span("x").__enter__)
            thread.start()
            thread.join()
        timeline.fold()
        assert len(timeline._recorders) == 1

    def test_spans_of_another_thread_get_the_tick_that_ran_as_they_ended(self):
        clock = VirtualClock()
        loop = Loop(100, clock=clock, ticks=4)
        go, done = threading.Event(), threading.Event()

        def beside():
            for _ in range(2):
                go.wait()
                go.clear()
                with loop.timeline.span("beside"):
                    clock.advance(1_000)
                done.set()

        thread = threading.Thread(target=beside)
        thread.start()
        for tick in loop:
            if tick.index in (1, 3):
                go.set()
                done.wait()
                done.clear()
        thread.join()
        loop.timeline.stats()
        assert [(s.name, s.tick) for s in loop.timeline.spans()] == [("beside", 1), ("beside", 3)]
        assert loop.timeline.beside == {"beside"}


class TestDevice:
    def test_a_device_s_span_is_recorded_once_its_own_timer_has_it(self):
        clock = VirtualClock()
        loop = Loop(100, clock=clock, ticks=5)
        ready = {}
        for tick in loop:
            i = tick.index
            loop.timeline.defer("draw", "gpu", lambda i=i, ready=ready: ready.get(i))
            if i == 3:  # frames 0 and 2 are done; 1, which is asked for first, is not
                ready.update({0: (10, 20), 2: (50, 60)})
        assert [(s.start_ns, s.lane, s.tick) for s in loop.timeline.spans()] == [(10, "gpu", 0)]
        ready[1] = (30, 40)
        loop.timeline.collect()
        assert [(s.start_ns, s.tick) for s in loop.timeline.spans()] == [(10, 0), (30, 1), (50, 2)]


class TestColumns:
    def test_they_say_the_same_as_the_spans_and_flows_stay_with_theirs(self, clock):
        timeline = Timeline(clock, keep=50)
        for i in range(300):
            if i % 3:
                with timeline.span("plain"):
                    clock.advance(1)
            else:
                with timeline.span("frame", flow=i):
                    clock.advance(1)
            if i % 40 == 0:
                timeline.fold()
        c = timeline.columns()
        assert 50 <= len(c.start_ns) <= 100
        assert c.start_ns.itemsize + c.end_ns.itemsize + c.tick.itemsize + 4 == 24
        for name, start, flow in zip(c.name, c.start_ns, c.flow, strict=True):
            assert c.names[name] == ("frame" if start % 3 == 0 else "plain")
            assert flow == (start if start % 3 == 0 else -1)
        assert timeline.dropped + len(c.start_ns) == 300
        assert sum(h.count for h in timeline.stats().values()) == 300

    def test_the_newest_are_the_last_ones(self, clock):
        timeline = Timeline(clock)
        for _ in range(100):
            with timeline.span("a"):
                clock.advance(1)
        assert timeline.columns(7).end_ns.tolist() == list(range(94, 101))
