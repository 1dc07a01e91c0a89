"""What core's rules say of a loop: the planted fault is named, its clean twin is left alone."""

import pytest

from guide.foundations.rules.deadlines import late_wake, over_budget
from tests.core.loops import MS, virtual


def within(ns, expected_ns, share=0.1):
    return abs(ns - expected_ns) <= share * expected_ns


class TestOverBudget:
    def test_a_loop_with_time_to_spare_is_left_alone(self):
        assert over_budget(virtual(read=2, detect=4, draw=1)) == []

    @pytest.mark.parametrize("slow", ["read", "detect", "draw"])
    def test_a_sleep_put_into_a_stage_moves_the_verdict_to_that_stage(self, slow):
        (said,) = over_budget(virtual(**({"read": 2, "detect": 4, "draw": 1} | {slow: 8})))
        assert said.title == "over budget"
        assert said.says.startswith(f"{slow} takes 8 ms (p99 8 ms)")
        assert f"Make {slow}" in said.remedy

    def test_what_is_given_back_is_what_the_mean_tick_has_too_much(self):
        (said,) = over_budget(virtual(read=2, detect=9, draw=2))
        assert within(said.recoverable_ns, 3 * MS)

    def test_a_stage_that_is_slow_now_and_then_gives_back_what_it_takes_beyond_its_median(self):
        (said,) = over_budget(virtual(read=2, detect=lambda i: 4 if i % 20 else 24, draw=1))
        assert said.title == "over budget now and then"
        assert "detect mostly takes 4" in said.says
        assert within(said.recoverable_ns, 20 * MS / 20)

    def test_two_slow_ticks_and_a_loop_without_a_deadline_are_left_alone(self):
        assert over_budget(virtual(detect=lambda i: 14 if i in (50, 99) else 4)) == []
        assert over_budget(virtual(rate_hz=None, detect=30)) == []

    def test_a_loop_without_spans_is_told_to_have_some(self):
        (said,) = over_budget({**virtual(detect=14), "spans": {}})
        assert "spans" in said.remedy

    def test_a_record_with_nothing_in_it_says_nothing(self):
        for rule in (over_budget, late_wake):
            assert rule({}) == []
            assert rule({"loop": {"rate_hz": 60, "budget_ns": 16}}) == []
