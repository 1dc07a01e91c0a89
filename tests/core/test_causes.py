import gc

import pytest

from guide.causes import Miss, Used, explain, sentence
from guide.clock import VirtualClock
from guide.loop import Loop

MS = 1_000_000

IDLE = Used(cpu_ns=0, others_ns=0, run_delay_ns=0, forced=0, major=0)


def miss(*, late_ms=0, work_ms=1, budget_ms=10, waited=True, gc_ms=0, used=IDLE):
    start = late_ms * MS
    end = start + work_ms * MS
    return Miss(7, 0, start, end, end - budget_ms * MS, waited, gc_ms * MS, used)


def used(**ns):
    return Used(**{name: ns.get(name, 0) for name in IDLE._fields})


class TestExplain:
    @pytest.mark.parametrize(
        ("what", "cause"),
        [
            ({"late_ms": 12}, "woke late"),
            ({"late_ms": 12, "used": used(run_delay_ns=11 * MS)}, "woke late: no free processor"),
            ({"late_ms": 12, "used": used(others_ns=11 * MS)}, "woke late: gil"),
            ({"late_ms": 12, "waited": False}, "behind"),
            ({"work_ms": 12, "gc_ms": 9}, "gc"),
            ({"work_ms": 12, "used": used(run_delay_ns=9 * MS, forced=1)}, "preempted"),
            ({"work_ms": 12, "used": used(cpu_ns=2 * MS, major=3)}, "page fault"),
            ({"work_ms": 12, "used": used(cpu_ns=12 * MS)}, "over budget"),
        ],
    )
    def test_what_cost_most_is_the_cause(self, what, cause):
        assert explain(miss(**what), {}, {})[0].partition(": detect")[0] == cause

    def test_a_phase_that_took_longer_than_it_mostly_does_is_named_with_both_times(self):
        took = {"read": 2 * MS, "detect": 9 * MS, "show": MS}
        usual = {"read": 2 * MS, "detect": 4 * MS, "show": MS}
        cause, text = explain(miss(work_ms=12), took, usual)
        assert cause == "over budget: detect"
        assert text == "detect took 9 ms, mostly 4 ms; 2 ms over"

    def test_of_nested_phases_the_inner_one_that_holds_the_excess_is_named(self):
        took = {"detect": 11 * MS, "detect/match": 9 * MS}
        usual = {"detect": 3 * MS, "detect/match": MS}
        assert explain(miss(work_ms=12), took, usual)[0] == "over budget: detect/match"

    def test_where_every_tick_takes_too_long_the_longest_phase_is_named(self):
        took = {"read": 3 * MS, "detect": 9 * MS}
        assert explain(miss(work_ms=12), took, dict(took))[0] == "over budget: detect"

    def test_a_late_wake_up_within_a_long_tick_does_not_take_the_blame(self):
        late = used(run_delay_ns=MS, cpu_ns=12 * MS)
        assert explain(miss(late_ms=1, work_ms=12, used=late), {}, {})[0] == "over budget"

    def test_a_processor_that_was_away_for_less_than_the_tick_ran_over_is_not_to_blame(self):
        # 24 ms of work in phases shorter than the 20 ms that it was away: late in any case
        away = used(run_delay_ns=20 * MS, forced=3, cpu_ns=24 * MS)
        took = {"shadow": 12 * MS, "shade": 17 * MS, "raster": 15 * MS}
        cause, _ = explain(miss(work_ms=44, used=away), took, dict(took))
        assert cause == "over budget: shade"

    def test_the_sentence_names_the_most_frequent_first(self):
        counts = {"gc": 3, "woke late": 1_200, "behind": 2, "preempted": 1}
        assert sentence(counts) == "woke late 1,200, gc 3, behind 2, other 1"
        assert sentence({}) == ""


def slow(clock, **slow_ms):
    """A step whose phases take 1 ms each, but in the ticks named longer: t5=("b", 30)."""

    def step(tick):
        for name in "abc":
            with tick.span(name):
                phase, ms = slow_ms.get(f"t{tick.index}", (None, 1))
                clock.advance((ms if phase == name else 1) * MS)

    return step


def run(ticks=200, **slow_ms):
    clock = VirtualClock()
    loop = Loop(100, clock=clock, ticks=ticks)
    step = slow(clock, **slow_ms)
    for tick in loop:
        step(tick)
    return loop


class TestInALoop:
    def test_each_missed_tick_is_explained_by_its_own_spans(self):
        loop = run(t5=("b", 30), t70=("c", 15), t199=("a", 12))
        assert [(e.miss.tick, e.cause) for e in loop.misses.explained] == [
            (5, "over budget: b"),
            (70, "over budget: c"),
            (199, "over budget: a"),
        ]
        assert loop.causes == {f"over budget: {name}": 1 for name in "abc"}

    def test_a_flight_record_holds_the_ticks_around_the_miss_and_their_spans(self):
        loop = run(t50=("b", 30))
        (flight,) = loop.misses.flights
        assert (flight.tick, flight.why) == (50, "missed")
        assert [index for index, *_ in flight.ticks] == [46, 47, 48, 49, 50, 51, 52]
        assert len(flight.spans) == 7 * 3
        assert ("b", loop.timeline.loop_lane, 501 * MS, 30 * MS) in flight.spans

    def test_the_ten_worst_have_flight_records_however_many_were_missed(self):
        loop = run(400, **{f"t{i}": ("a", 20 + i) for i in range(0, 400, 10)})
        assert loop.log.missed == 40
        assert [f.tick for f in loop.misses.flights] == list(range(390, 290, -10))

    def test_a_record_that_was_asked_for_is_not_pushed_out_by_worse_misses(self):
        clock = VirtualClock()
        loop = Loop(100, clock=clock, ticks=300)
        step = slow(clock, **{f"t{i}": ("a", 50) for i in range(30, 300, 10)})
        for tick in loop:
            step(tick)
            if tick.index == 20:
                loop.misses.keep_flight(19, "signal")
        assert (19, "signal") in [(f.tick, f.why) for f in loop.misses.flights]
        assert len(loop.misses.flights) == 10

    def test_a_body_that_raises_leaves_the_books_in_order(self):
        clock = VirtualClock()
        loop = Loop(100, clock=clock)

        def steps():
            ticks = iter(loop)
            for tick in ticks:
                clock.advance(20 * MS)
                if tick.index == 3:
                    ticks.close()
                    return

        steps()
        assert loop.log.count == 4
        assert sum(loop.causes.values()) == loop.log.missed == 4


class TestGarbage:
    def test_a_collection_is_timed_and_a_long_one_becomes_a_span(self):
        clock = VirtualClock()
        loop = Loop(100, clock=clock, ticks=1)
        for _ in loop:
            with loop.misses.watching_gc(lambda: (clock.advance(MS), clock.now_ns())[1]):
                gc.collect()
        loop.misses.settle(final=True)
        assert loop.misses.gc_ns == MS
        assert [(s.name, s.end_ns - s.start_ns) for s in loop.timeline.spans()] == [("gc", MS)]

    def test_nobody_is_called_after_the_end(self):
        before = list(gc.callbacks)
        for _ in Loop(1_000, ticks=3):
            pass
        assert gc.callbacks == before
