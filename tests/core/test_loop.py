import signal
import threading
from fractions import Fraction

import pytest

from guide.clock import SystemClock, VirtualClock
from guide.loop import Loop, TickLog, TickRecord
from guide.timing import Timeline

MS = 1_000_000
S = 1_000_000_000


def run(loop, work=lambda tick: None):
    """Run a loop to its end; returns its ticks."""
    ticks = []
    for tick in loop:
        ticks.append(tick)
        work(tick)
    return ticks


def busy(clock, *costs_ms):
    """Work that takes `costs_ms[i]` at tick i, and nothing afterwards."""
    return lambda tick: clock.advance(
        int(costs_ms[tick.index] * MS) if tick.index < len(costs_ms) else 0
    )


def starts_ms(loop):
    origin = loop.log.recent()[0].due_ns
    return [(record.start_ns - origin) / MS for record in loop.log.recent()]


class TestGrid:
    @pytest.mark.parametrize("rate", [59.94, 144, 1000, 60, 29.97, 24])
    def test_a_million_ticks_later_it_is_still_on_the_grid_to_the_nanosecond(self, rate):
        clock = VirtualClock(start_ns=12_345)
        # One tick runs for 10**6 - 1.5 slots, so that the next is slot 10**6 of the same grid.
        period = S / Fraction(str(rate))
        ticks = run(
            Loop(rate, clock=clock, ticks=2),
            lambda tick: clock.advance(int((10**6 - Fraction(1, 2)) * period)),
        )
        assert ticks[1].due_ns == 12_345 + int(10**6 * period)
        assert ticks[1].skipped == 10**6 - 1

    def test_each_tick_is_due_at_its_own_multiple_of_the_period(self):
        ticks = run(Loop(59.94, clock=VirtualClock(), ticks=5_000))
        assert [t.due_ns for t in ticks] == [
            int(k * S / Fraction("59.94")) for k in range(len(ticks))
        ]

    def test_a_late_wake_up_does_not_move_the_ticks_after_it(self):
        class Late(VirtualClock):
            def sleep_until(self, t_ns):
                super().sleep_until(t_ns + 2 * MS)

        ticks = run(Loop(100, clock=Late(), ticks=50))
        assert [t.due_ns for t in ticks] == [k * 10 * MS for k in range(50)]
        assert {t.lateness_ns for t in ticks[1:]} == {2 * MS}

    def test_time_to_animate_by_is_the_time_due_in_seconds(self):
        clock = VirtualClock(start_ns=5 * S)
        ticks = run(Loop(10, clock=clock, ticks=4), busy(clock, 0, 150))
        assert [t.t_s for t in ticks] == [0.0, 0.1, 0.3, 0.4]
        assert [t.dt_s for t in ticks] == [0.0, 0.1, 0.2, 0.1]


class TestSkip:
    def test_slots_that_passed_are_given_up_and_counted_and_phase_is_kept(self):
        clock = VirtualClock()
        loop = Loop(100, "skip", clock=clock, ticks=4)
        ticks = run(loop, busy(clock, 5, 25, 5, 5))
        assert starts_ms(loop) == [0, 10, 40, 50]
        assert [t.skipped for t in ticks] == [0, 0, 2, 0]
        assert (loop.log.count, loop.log.missed, loop.log.skipped) == (4, 1, 2)

    def test_a_tick_that_ends_as_the_next_falls_due_gives_up_nothing(self):
        clock = VirtualClock()
        loop = Loop(100, clock=clock, ticks=3)
        run(loop, busy(clock, 10, 10, 10))
        assert starts_ms(loop) == [0, 10, 20]
        assert (loop.log.missed, loop.log.skipped) == (0, 0)

    def test_one_nanosecond_over_is_missed_and_waits_for_the_slot_after(self):
        clock = VirtualClock()
        loop = Loop(100, clock=clock, ticks=2)
        run(loop, lambda tick: clock.advance(10 * MS + 1))
        assert starts_ms(loop) == [0, 20]
        assert loop.log.missed == 2


class TestCatchUp:
    def test_late_slots_are_run_at_once_until_it_is_on_time_again(self):
        clock = VirtualClock()
        loop = Loop(100, "catch-up", clock=clock, ticks=7)
        run(loop, busy(clock, 35, 1, 1, 1, 1))
        assert starts_ms(loop) == [0, 35, 36, 37, 40, 50, 60]
        assert loop.log.skipped == 0

    def test_at_most_max_catch_up_slots_are_made_up_for(self):
        clock = VirtualClock()
        loop = Loop(100, "catch-up", max_catch_up=2, clock=clock, ticks=4)
        ticks = run(loop, busy(clock, 95))
        # Slots 1 to 9 fell due; 8 and 9 are made up for, 7 are given up.
        assert [t.due_ns // MS for t in ticks] == [0, 80, 90, 100]
        assert [t.skipped for t in ticks] == [0, 7, 0, 0]

    def test_work_that_is_always_too_slow_never_falls_further_behind(self):
        clock = VirtualClock()
        loop = Loop(100, "catch-up", max_catch_up=3, clock=clock, ticks=1_000)
        ticks = run(loop, lambda tick: clock.advance(25 * MS))
        assert max(t.lateness_ns for t in ticks) <= 3 * 10 * MS
        slots = 1_000 + loop.log.skipped
        assert abs(slots * 10 * MS - clock.now_ns()) <= 4 * 10 * MS
        # It waits for a slot only when it gives up being behind, four times a second.
        assert clock.now_ns() <= 1_000 * 25 * MS * 1.03

    def test_being_behind_for_too_long_is_given_up_at_once(self):
        clock = VirtualClock()
        loop = Loop(100, "catch-up", max_catch_up=50, max_behind_s=0.1, clock=clock, ticks=40)
        ticks = run(loop, lambda tick: clock.advance(14 * MS))
        given_up = [t.index for t in ticks if t.skipped]
        # 4 ms further behind with each tick; after 100 ms of it, all slots that passed are let go.
        assert given_up[0] == 9
        assert ticks[9].skipped == 4
        assert ticks[9].lateness_ns == 0


class Pausing(VirtualClock):
    """A clock on which somebody does something at stated times, while the loop sleeps."""

    def __init__(self, **at_ms):
        super().__init__()
        self.script = []

    def at(self, ms, what):
        self.script.append((ms * MS, what))
        return self

    def sleep_until(self, t_ns):
        while self.script and self.script[0][0] <= t_ns:
            when, what = self.script.pop(0)
            super().sleep_until(when)
            what()
        super().sleep_until(t_ns)


class TestPause:
    def test_time_stands_still_and_nothing_is_made_up_for(self):
        clock = Pausing()
        loop = Loop(100, clock=clock, ticks=5)
        clock.at(15, loop.pause).at(1_015, loop.resume)
        ticks = run(loop)
        assert [t.t_s for t in ticks] == [0.0, 0.01, 0.02, 0.03, 0.04]
        assert ticks[3].due_ns - ticks[2].due_ns > 900 * MS
        assert (loop.log.skipped, loop.log.suspended, loop.log.missed) == (0, 0, 0)

    def test_single_steps_each_go_one_period_on(self):
        clock = Pausing()
        loop = Loop(100, clock=clock, ticks=4)
        loop.pause()
        clock.at(500, loop.step).at(900, loop.step).at(2_000, lambda: loop.step(2))
        ticks = run(loop)
        assert [t.dt_s for t in ticks] == [0.0, 0.01, 0.01, 0.01]
        assert ticks[1].due_ns >= 900 * MS
        assert ticks[2].due_ns >= 2_000 * MS
        assert ticks[3].due_ns - ticks[2].due_ns == 10 * MS

    def test_a_paused_loop_still_stops(self):
        clock = Pausing()
        loop = Loop(100, clock=clock)
        loop.pause()
        clock.at(700, lambda: loop.stop("enough"))
        assert run(loop) == []
        assert loop.ended == "enough"

    def test_a_free_running_loop_pauses_as_well(self):
        clock = Pausing()
        loop = Loop(clock=clock, ticks=3)
        clock.at(350, loop.resume)

        def work(tick):
            clock.advance(5 * MS)
            if tick.index == 1:
                loop.pause()

        ticks = run(loop, work)
        assert [t.t_s for t in ticks] == [0.0, 0.005, 0.01]

    def test_speed_scales_the_time_in_the_ticks_and_not_their_rate(self):
        clock = VirtualClock()
        loop = Loop(10, clock=clock, ticks=5)

        def work(tick):
            loop.speed = 0.5 if tick.index < 2 else 2

        ticks = run(loop, work)
        assert [t.due_ns // MS for t in ticks] == [0, 100, 200, 300, 400]
        assert [t.t_s for t in ticks] == [0.0, 0.05, 0.1, 0.3, 0.5]


class TestSuspend:
    def test_slots_slept_through_are_neither_run_nor_called_skipped(self):
        clock = Pausing()
        loop = Loop(100, clock=clock, ticks=4)
        clock.at(25, lambda: clock.advance(3_600 * S))
        ticks = run(loop)
        assert loop.log.suspended == 360_000 - 1
        assert loop.log.skipped == 0
        assert [t.dt_s for t in ticks] == [0.0, 0.01, 0.02 - 0.01, 0.01]
        assert all(t.due_ns % (10 * MS) == 0 for t in ticks)

    @pytest.mark.parametrize("overrun", ["skip", "catch-up", "slip"])
    def test_no_policy_winds_up(self, overrun):
        clock = Pausing()
        loop = Loop(100, overrun, clock=clock, ticks=30)
        clock.at(25, lambda: clock.advance(60 * S))
        ticks = run(loop, lambda tick: clock.advance(MS))
        assert max(t.dt_s for t in ticks) <= 0.01
        assert max(t.lateness_ns for t in ticks) < 10 * MS

    def test_a_tick_that_takes_long_is_no_suspend(self):
        clock = VirtualClock()
        loop = Loop(100, clock=clock, ticks=2)
        run(loop, busy(clock, 5_000))
        assert (loop.log.skipped, loop.log.suspended) == (499, 0)


class TestSubRate:
    def test_it_runs_in_every_nth_tick_also_when_slots_are_skipped(self):
        clock = VirtualClock()
        loop = Loop(100, clock=clock, ticks=9)
        ticks = run(loop, busy(clock, 1, 35, 1, 25))
        assert [t.index for t in ticks if t.every(3)] == [0, 3, 6]


class TestBooks:
    def test_slots_given_up_by_the_last_tick_are_counted_up_to_the_end(self):
        clock = VirtualClock()
        loop = Loop(100, clock=clock, seconds=0.1)
        run(loop, busy(clock, 1, 1, 500))
        assert loop.log.count + loop.log.skipped == 10

    def test_the_spans_of_a_tick_carry_its_number(self):
        clock = VirtualClock()
        loop = Loop(100, clock=clock, ticks=3)

        def work(tick):
            with tick.span("outer"), tick.span("inner"):
                pass

        run(loop, work)
        with loop.timeline.span("after"):
            pass
        spans = loop.timeline.spans()
        assert [(s.name, s.tick) for s in spans] == [
            *((name, i) for i in range(3) for name in ("inner", "outer")),
            ("after", -1),
        ]

    def test_laps_follow_each_other_from_the_start_of_the_tick(self):
        clock = VirtualClock()
        loop = Loop(100, clock=clock, ticks=2)
        read, show = loop.timeline.lap("read"), loop.timeline.lap("show")

        def work(tick):
            clock.advance(MS)
            read()
            clock.advance(2 * MS)
            show()

        run(loop, work)
        assert [(s.name, s.start_ns // MS, s.end_ns // MS) for s in loop.timeline.spans()] == [
            ("read", 0, 1),
            ("show", 1, 3),
            ("read", 10, 11),
            ("show", 11, 13),
        ]

    def test_what_is_between_ticks_is_called_there_with_the_time_left(self):
        clock = VirtualClock()
        loop = Loop(100, clock=clock, ticks=3)
        left = []
        loop.between = lambda index, left_ns: left.append(left_ns)
        run(loop, busy(clock, 2, 3, 4))
        assert left == [8 * MS, 7 * MS, 6 * MS]


class TestSlip:
    def test_every_tick_runs_later_and_the_grid_moves(self):
        clock = VirtualClock()
        loop = Loop(100, "slip", clock=clock, ticks=4)
        run(loop, busy(clock, 5, 27, 5, 5))
        assert starts_ms(loop) == [0, 10, 37, 47]
        assert (loop.log.skipped, loop.log.missed) == (0, 1)

    def test_lateness_after_slipping_is_measured_on_the_moved_grid(self):
        clock = VirtualClock()
        ticks = run(Loop(100, "slip", clock=clock, ticks=3), busy(clock, 30))
        assert [t.lateness_ns for t in ticks] == [0, 0, 0]
        assert [t.dt_s for t in ticks] == [0.0, 0.03, 0.01]


@pytest.mark.parametrize("overrun", ["skip", "catch-up", "slip"])
class TestSuspendInATick:
    """The machine sleeps for ten minutes in the middle of a tick: its overrun, like any other."""

    TEN_MINUTES = 600 * S

    def run(self, overrun):
        clock = VirtualClock()
        loop = Loop(60, overrun, clock=clock, ticks=20)
        ticks = run(loop, lambda t: clock.advance(self.TEN_MINUTES if t.index == 9 else MS))
        return loop, ticks

    def test_it_goes_on_at_once_and_makes_up_for_no_more_than_the_policy_allows(self, overrun):
        loop, ticks = self.run(overrun)
        after = [t for t in ticks if t.index > 9]
        burst = [t for t in after if t.lateness_ns > MS]
        assert len(burst) <= {"skip": 0, "catch-up": 5, "slip": 0}[overrun]
        assert after[0].start_ns - loop.log.recent()[9].end_ns <= S / 60

    def test_the_slots_that_passed_are_accounted_for(self, overrun):
        loop, _ = self.run(overrun)
        slots = {"skip": 36_000, "catch-up": 35_995, "slip": 0}[overrun]
        assert abs(loop.log.skipped - slots) <= 1

    def test_dt_tells_the_task_how_much_time_passed(self, overrun):
        _, ticks = self.run(overrun)
        assert sum(t.dt_s for t in ticks) == pytest.approx(ticks[-1].t_s)
        assert max(t.dt_s for t in ticks) > 599


class TestEnd:
    def test_after_so_many_ticks(self):
        loop = Loop(clock=VirtualClock(), ticks=3)
        assert [t.index for t in run(loop)] == [0, 1, 2]
        assert loop.ended == "ticks"

    @pytest.mark.parametrize(("rate", "seconds", "count"), [(60, 1, 60), (10, 0.25, 3), (1, 1, 1)])
    def test_after_so_much_time_counted_in_slots(self, rate, seconds, count):
        loop = Loop(rate, clock=VirtualClock(), seconds=seconds)
        assert len(run(loop)) == count
        assert loop.ended == "seconds"

    def test_running_free_after_so_much_time(self):
        clock = VirtualClock()
        loop = Loop(clock=clock, seconds=1)
        assert len(run(loop, lambda t: clock.advance(300 * MS))) == 4

    def test_by_stop_inside_a_tick_which_is_finished_first(self):
        clock = VirtualClock()
        loop = Loop(10, clock=clock)
        run(loop, lambda t: (loop.stop("enough"), clock.advance(MS)) if t.index == 2 else None)
        assert (loop.log.count, loop.ended) == (3, "enough")
        assert loop.log.recent()[-1].work_ns == MS

    def test_the_first_reason_is_the_one_that_stays(self):
        loop = Loop(clock=VirtualClock(), ticks=1)
        run(loop, lambda t: (loop.stop("first"), loop.stop("second")))
        assert loop.ended == "first"

    def test_stopped_before_it_began_it_runs_no_tick(self):
        loop = Loop(10, clock=VirtualClock())
        loop.stop()
        assert run(loop) == []

    def test_by_stop_from_another_thread_while_it_sleeps(self):
        loop = Loop(1 / 3600, clock=SystemClock())  # the second tick is an hour away
        first_ran = threading.Event()
        stopper = threading.Thread(target=lambda: (first_ran.wait(), loop.stop("from outside")))
        stopper.start()
        run(loop, lambda tick: first_ran.set())
        stopper.join()
        assert (loop.log.count, loop.ended) == (1, "from outside")

    def test_by_stop_from_a_signal_handler_while_it_sleeps(self):
        loop = Loop(1 / 3600, clock=SystemClock())
        before = signal.signal(signal.SIGALRM, lambda *_: loop.stop("alarm"))
        try:
            run(loop, lambda tick: signal.setitimer(signal.ITIMER_REAL, 0.02))
        finally:
            signal.signal(signal.SIGALRM, before)
        assert loop.ended == "alarm"


class TestBudget:
    def test_by_default_it_is_the_period(self):
        assert Loop(50).budget_ns == 20 * MS
        assert Loop().budget_ns is None

    def test_it_may_be_shorter_than_the_period(self):
        clock = VirtualClock()
        loop = Loop(10, budget_s=0.02, clock=clock, ticks=3)
        ticks = run(loop, busy(clock, 20, 21, 19))
        assert loop.log.missed == 1
        assert [t.deadline_ns // MS for t in ticks] == [20, 120, 220]
        assert loop.log.skipped == 0

    def test_it_may_be_longer_than_the_period(self):
        clock = VirtualClock()
        loop = Loop(100, "catch-up", budget_s=0.03, clock=clock, ticks=3)
        run(loop, busy(clock, 25, 1, 1))
        assert loop.log.missed == 0

    def test_running_free_it_counts_from_the_start_of_each_tick(self):
        clock = VirtualClock()
        loop = Loop(budget_s=0.01, clock=clock, ticks=3)
        run(loop, busy(clock, 5, 15, 5))
        assert loop.log.missed == 1

    def test_without_one_there_is_no_deadline_to_miss(self):
        clock = VirtualClock()
        loop = Loop(clock=clock, ticks=2)
        ticks = run(loop, busy(clock, 1_000, 1_000))
        assert [t.deadline_ns for t in ticks] == [None, None]
        assert loop.log.missed == 0

    def test_waking_late_counts_against_the_deadline(self):
        class Late(VirtualClock):
            def sleep_until(self, t_ns):
                super().sleep_until(t_ns + 6 * MS)

        clock = Late()
        loop = Loop(100, clock=clock, ticks=3)
        run(loop, lambda tick: clock.advance(5 * MS))  # half the budget, had it woken in time
        assert [r.work_ns for r in loop.log.recent()] == [5 * MS] * 3
        assert loop.log.missed == 2


class TestFree:
    def test_each_tick_is_due_as_the_one_before_ends(self):
        clock = VirtualClock()
        ticks = run(Loop(clock=clock, ticks=3), busy(clock, 4, 6))
        assert [t.due_ns for t in ticks] == [0, 4 * MS, 10 * MS]
        assert [t.dt_s for t in ticks] == [0.0, 0.004, 0.006]
        assert [t.lateness_ns for t in ticks] == [0, 0, 0]


class TestBody:
    def test_a_body_that_raises_leaves_its_tick_logged(self):
        clock = VirtualClock()
        loop = Loop(10, clock=clock)

        def work(tick):
            clock.advance(7 * MS)
            if tick.index == 2:
                raise RuntimeError("in the middle")

        with pytest.raises(RuntimeError, match="in the middle"):
            run(loop, work)
        assert loop.log.count == 3
        assert loop.log.recent()[-1].work_ns == 7 * MS
        assert loop.timeline.tick == -1

    def test_a_body_that_breaks_out_leaves_its_tick_logged(self):
        clock = VirtualClock()
        loop = Loop(10, clock=clock)
        for tick in loop:
            clock.advance(MS)
            if tick.index == 1:
                break
        assert loop.log.count == 2

    def test_spans_of_a_tick_carry_its_index_and_those_between_ticks_none(self):
        clock = VirtualClock()
        timeline = Timeline(clock)
        with timeline.span("before"):
            pass
        for tick in Loop(10, ticks=2, timeline=timeline):
            with tick.span("work"):
                clock.advance(MS)
        assert [(s.name, s.tick) for s in timeline.spans()] == [
            ("before", -1),
            ("work", 0),
            ("work", 1),
        ]

    def test_a_timeline_brings_its_clock(self):
        timeline = Timeline(VirtualClock())
        assert Loop(timeline=timeline).clock is timeline.clock

    def test_a_loop_that_nobody_watches_does_not_grow_without_bound(self):
        timeline = Timeline(VirtualClock(), keep=100)
        for tick in Loop(ticks=3_000, timeline=timeline):
            with tick.span("a"), tick.span("b"):
                pass
        assert len(timeline.spans()) < 3_000
        assert timeline.stats()["a"].count == 3_000


@pytest.mark.parametrize("name", ["rate_hz", "budget_s", "ticks", "seconds", "max_catch_up"])
@pytest.mark.parametrize("value", [0, -1, float("nan"), float("inf"), 1e300])
def test_a_rate_or_limit_that_makes_no_sense_is_refused(name, value):
    with pytest.raises(ValueError, match=f"{name} "):
        Loop(**{name: value})


def test_an_unknown_policy_is_refused_with_the_ones_there_are():
    with pytest.raises(ValueError, match="skip, catch-up, slip"):
        Loop(10, "hurry")


class TestLog:
    @staticmethod
    def record(index, work_ns, deadline_ns=None):
        return TickRecord(index, index * 10, index * 10, index * 10 + work_ns, deadline_ns, 0)

    def test_the_worst_are_the_longest_and_among_equals_the_earliest(self):
        log = TickLog(worst=3)
        for index, work in enumerate([5, 9, 1, 9, 7, 9, 2, 5]):
            log.add(index * 10, index * 10, index * 10 + work, 0)
        assert [(r.index, r.work_ns) for r in log.worst()] == [(1, 9), (3, 9), (5, 9)]

    def test_memory_is_bounded_while_counts_are_of_all(self):
        log = TickLog(keep=10, budget_ns=500)
        for index in range(1_000):
            log.add(index * 10, index * 10, index * 10 + index, 0)
            if index % 7 == 0:
                log.fold()
        recent = log.recent()
        assert 10 <= len(recent) <= 20
        assert [r.index for r in recent] == list(range(1_000 - len(recent), 1_000))
        assert recent[-1] == self.record(999, 999, deadline_ns=9_990 + 500)
        assert (log.count, log.missed) == (1_000, 499)
        assert log.work.largest == 999

    def test_a_tick_done_exactly_at_its_deadline_is_not_missed(self):
        assert not self.record(0, 10, deadline_ns=10).missed
        assert self.record(0, 11, deadline_ns=10).missed


class TestFollow:
    """A loop that events set the pace of."""

    def follow(self, events, work_ns=0, **more):
        """Ticks of a loop whose events happen at `events`, each tick taking `work_ns`."""
        clock = VirtualClock()
        origin_ns = clock.now_ns()
        loop = Loop(100, clock=clock, **more)
        left = [origin_ns + t for t in events]

        def wait():
            if not left:
                loop.stop("no more")
                return None
            if left[0] is None:
                return left.pop(0)
            clock.sleep_until(left[0])
            return left.pop(0)

        loop.follow(wait)
        ticks = []
        for tick in loop:
            ticks.append((tick.due_ns - origin_ns, tick.start_ns - origin_ns))
            clock.sleep_until(clock.now_ns() + work_ns)
        return loop, ticks

    def test_a_tick_is_due_when_its_event_happened(self):
        events = [3_000_000, 14_000_000, 40_000_000]
        loop, ticks = self.follow(events)
        assert ticks == [(t, t) for t in events]
        assert loop.ended == "no more"
        assert not loop.causes

    def test_the_deadline_counts_from_the_event_also_when_the_loop_was_busy(self):
        loop, ticks = self.follow([0, 1_000_000, 50_000_000], work_ns=6_000_000)
        assert ticks == [(0, 0), (1_000_000, 6_000_000), (50_000_000, 50_000_000)]
        # 1 + 10 ms is the second one's deadline, it ends at 12
        assert [miss.miss.index for miss in loop.misses.explained] == [1]
        assert [miss.cause for miss in loop.misses.explained] == ["over budget"]

    def test_the_limits_of_a_run_hold_while_nothing_comes(self):
        clock = VirtualClock()
        loop = Loop(100, clock=clock, seconds=1)

        def wait():
            clock.sleep_until(clock.now_ns() + 100_000_000)

        loop.follow(wait)
        assert list(loop) == []
        assert loop.ended == "seconds"
