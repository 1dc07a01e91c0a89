"""Of every schedule of work that hypothesis can think of: what each policy promises."""

from fractions import Fraction
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guide.clock import VirtualClock
from guide.grid import FixedStep
from guide.loop import Loop

MS = 1_000_000
S = 1_000_000_000

rates = st.sampled_from([24, 29.97, 59.94, 60, 144, 240, 1000, 0.5, 7.3])
# Work of a tick in periods: mostly less than one, now and then many.
works = st.lists(
    st.one_of(st.floats(0, 0.99), st.floats(0, 3), st.floats(0, 40)), min_size=1, max_size=60
)


def run(rate, overrun, work, **limits):
    """Run a loop whose i-th tick takes `work[i]` periods; later ones take nothing."""
    clock = VirtualClock(start_ns=123_457)
    loop = Loop(rate, overrun, clock=clock, **({"ticks": len(work) + 3} | limits))
    period_ns = S / Fraction(str(rate))
    ticks = []
    for tick in loop:
        ticks.append(tick)
        if tick.index < len(work):
            clock.advance(int(work[tick.index] * period_ns))
    return loop, ticks, period_ns


def slot_of(t_ns, period_ns):
    """The number of the slot that is due at `t_ns`; None off the grid."""
    k = round((t_ns - 123_457) / period_ns)
    return k if 123_457 + int(k * period_ns) == t_ns else None


class TestEveryPolicyButSlip:
    @pytest.mark.parametrize("overrun", ["skip", "catch-up"])
    @given(rate=rates, work=works)
    def test_phase_is_kept_every_tick_is_due_on_the_grid(self, overrun, rate, work):
        _, ticks, period_ns = run(rate, overrun, work)
        assert all(slot_of(tick.due_ns, period_ns) is not None for tick in ticks)

    @pytest.mark.parametrize("overrun", ["skip", "catch-up"])
    @given(rate=rates, work=works)
    def test_no_slot_is_lost_from_the_books(self, overrun, rate, work):
        loop, ticks, period_ns = run(rate, overrun, work)
        slots = [slot_of(tick.due_ns, period_ns) for tick in ticks]
        passed = [b - a - 1 for a, b in zip([-1, *slots], slots, strict=False)]
        assert passed == [tick.skipped for tick in ticks]
        assert loop.log.count + loop.log.skipped == slots[-1] + 1

    @pytest.mark.parametrize("overrun", ["skip", "catch-up"])
    @given(rate=rates, work=works, periods=st.integers(1, 30))
    def test_within_a_stated_time_all_slots_are_run_or_skipped(self, overrun, rate, work, periods):
        seconds = float(periods / Fraction(str(rate)))
        loop, _, period_ns = run(rate, overrun, work, ticks=None, seconds=seconds)
        # Slots due before the end; the last may be due within a rounded nanosecond of it.
        due = -(-round(seconds * 1e9) // period_ns)
        assert abs(loop.log.count + loop.log.skipped - due) <= (overrun == "catch-up") * 5 + 1

    @given(rate=rates, work=works)
    def test_skip_never_starts_a_tick_late(self, rate, work):
        _, ticks, _ = run(rate, "skip", work)
        assert {tick.lateness_ns for tick in ticks} == {0}

    @given(rate=rates, work=works, most=st.integers(1, 8))
    def test_catch_up_is_bounded(self, rate, work, most):
        _, ticks, period_ns = run(rate, "catch-up", work, max_catch_up=most)
        assert max(tick.lateness_ns for tick in ticks) <= most * period_ns + 1


class TestEveryPolicy:
    @pytest.mark.parametrize("overrun", ["skip", "catch-up", "slip"])
    @given(rate=rates, work=works)
    def test_ticks_never_overlap_and_never_begin_before_they_are_due(self, overrun, rate, work):
        loop, _, _ = run(rate, overrun, work)
        records = loop.log.recent()
        assert all(r.start_ns >= r.due_ns for r in records)
        assert all(a.end_ns <= b.start_ns for a, b in pairwise(records))
        assert loop.log.count == len(records)

    @pytest.mark.parametrize("overrun", ["skip", "catch-up", "slip"])
    @given(rate=rates, work=works)
    def test_the_missed_are_those_done_after_their_deadline(self, overrun, rate, work):
        loop, _, _ = run(rate, overrun, work)
        assert loop.log.missed == sum(record.missed for record in loop.log.recent())
        assert sum(loop.causes.values()) == loop.log.missed

    @pytest.mark.parametrize("overrun", ["skip", "catch-up", "slip"])
    @given(rate=rates, work=works)
    def test_the_same_work_gives_the_same_ticks_to_the_nanosecond(self, overrun, rate, work):
        assert run(rate, overrun, work)[0].log.recent() == run(rate, overrun, work)[0].log.recent()

    @given(rate=rates, work=works)
    def test_slip_gives_up_nothing_and_ticks_are_at_least_a_period_apart(self, rate, work):
        loop, ticks, period_ns = run(rate, "slip", work)
        assert loop.log.skipped == 0
        apart = [b.due_ns - a.due_ns for a, b in pairwise(ticks)]
        assert min(apart) >= int(period_ns)


class TestFixedStep:
    @given(
        step_hz=st.sampled_from([30, 60, 59.94, 240, 1000]),
        gaps=st.lists(st.integers(0, 50 * MS), min_size=1, max_size=100),
    )
    def test_every_step_is_taken_once_in_order_or_counted_as_dropped(self, step_hz, gaps):
        physics, t_ns, taken = FixedStep(step_hz, max_steps=4), 0, []
        for gap in gaps:
            t_ns += gap
            steps = physics.steps(t_ns)
            assert len(steps) <= 4
            assert 0 <= physics.alpha < 1
            taken += steps
        assert taken == sorted(set(taken))
        assert len(taken) + physics.dropped == int(t_ns * Fraction(str(step_hz)) / S)

    def test_alpha_is_the_way_from_the_last_step_to_the_next(self):
        physics = FixedStep(100)
        assert list(physics.steps(25 * MS)) == [0, 1]
        assert physics.alpha == 0.5
        assert list(physics.steps(30 * MS)) == [2]
        assert physics.alpha == 0

    def test_the_same_time_in_other_portions_gives_the_same_steps(self):
        one, other = FixedStep(59.94, 1_000), FixedStep(59.94, 1_000)
        for k in range(600):
            one.steps(k * 7 * MS)
        other.steps(599 * 7 * MS)
        assert (one.done, one.alpha) == (other.done, other.alpha)

    @pytest.mark.parametrize(("rate", "most"), [(0, 1), (-1, 1), (60, 0), (float("nan"), 1)])
    def test_a_rate_or_limit_that_makes_no_sense_is_refused(self, rate, most):
        with pytest.raises(ValueError, match="above 0"):
            FixedStep(rate, most)
