import time

import pytest

from guide.clock import SystemClock, VirtualClock


def test_a_virtual_clock_stands_still_until_it_is_told_to_move():
    clock = VirtualClock(start_ns=7)
    assert [clock.now_ns() for _ in range(3)] == [7, 7, 7]
    clock.advance(5)
    assert clock.now_ns() == 12


def test_sleeping_on_a_virtual_clock_jumps_there_and_never_back():
    clock = VirtualClock()
    clock.sleep_until(1_000)
    clock.sleep_until(10)
    assert clock.now_ns() == 1_000


def test_a_virtual_clock_refuses_to_go_back():
    with pytest.raises(ValueError, match="does not go back"):
        VirtualClock().advance(-1)


def test_the_system_clock_is_the_one_that_ntp_never_steps():
    before = time.perf_counter_ns()
    now = SystemClock().now_ns()
    assert before <= now <= time.perf_counter_ns()


def test_the_system_clock_never_wakes_early():
    clock = SystemClock()
    due = clock.now_ns() + 1_500_000
    clock.sleep_until(due)
    assert clock.now_ns() >= due


def test_sleeping_until_a_time_that_has_passed_returns():
    SystemClock().sleep_until(0)
