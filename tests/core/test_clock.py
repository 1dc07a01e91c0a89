import time

import pytest
from hypothesis import given
from hypothesis import strategies as st

from guide.clock import ScaledClock, SystemClock, VirtualClock, unix_anchor
from guide.loop import Loop

MS = 1_000_000


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


@pytest.mark.parametrize("ahead_ns", [1, 20_000, 1_500_000, 30_000_000])
def test_the_system_clock_never_wakes_early(ahead_ns):
    clock = SystemClock()
    due = clock.now_ns() + ahead_ns
    clock.sleep_until(due)
    assert clock.now_ns() >= due


def test_sleeping_until_a_time_that_has_passed_returns():
    SystemClock().sleep_until(0)


def test_a_scaled_clock_begins_at_the_time_of_the_one_it_wraps():
    machine = VirtualClock(start_ns=123)
    clock = ScaledClock(machine, speed=3)
    assert clock.now_ns() == 123
    machine.advance(10)
    assert clock.now_ns() == 123 + 30


def test_a_change_of_speed_counts_from_then_on():
    machine = VirtualClock()
    clock = ScaledClock(machine)
    machine.advance(100)
    clock.speed = 0.5
    assert clock.now_ns() == 100
    machine.advance(100)
    assert clock.now_ns() == 150
    assert clock.speed == 0.5


def test_a_paused_clock_stands_still_and_goes_on_from_there():
    machine = VirtualClock()
    clock = ScaledClock(machine, speed=2)
    machine.advance(10)
    clock.pause()
    machine.advance(1000)
    assert clock.paused
    assert clock.now_ns() == 20
    clock.speed = 5
    assert clock.now_ns() == 20
    clock.resume()
    assert not clock.paused
    machine.advance(1)
    assert clock.now_ns() == 25


def test_pausing_and_resuming_twice_changes_nothing():
    machine = VirtualClock()
    clock = ScaledClock(machine)
    for change in (clock.pause, clock.pause, clock.resume, clock.resume):
        machine.advance(10)
        change()
    machine.advance(10)
    assert clock.now_ns() == 10 + 10 + 10


def test_sleeping_on_a_scaled_clock_sleeps_on_the_wrapped_one():
    machine = VirtualClock()
    ScaledClock(machine, speed=0.5).sleep_until(10 * MS)
    assert machine.now_ns() == 20 * MS


def test_a_long_scaled_sleep_is_cut_into_naps():
    machine = VirtualClock()
    clock = ScaledClock(machine, speed=0.001)
    clock.sleep_until(10 * MS)  # ten seconds of the machine's
    assert machine.now_ns() == 50 * MS


def test_sleeping_on_a_paused_clock_comes_back_so_that_a_stop_is_noticed():
    machine = VirtualClock()
    clock = ScaledClock(machine)
    clock.pause()
    clock.sleep_until(1)
    assert machine.now_ns() == 50 * MS
    assert clock.now_ns() == 0


@pytest.mark.parametrize("speed", [0, -1, float("inf"), float("nan")])
def test_a_speed_that_is_none_is_refused(speed):
    with pytest.raises(ValueError, match="speed must be above 0"):
        ScaledClock(VirtualClock(), speed)
    clock = ScaledClock(VirtualClock())
    with pytest.raises(ValueError, match="speed must be above 0"):
        clock.speed = speed
    assert clock.speed == 1.0


@given(
    st.lists(
        st.tuples(
            st.integers(0, 10**12),
            st.one_of(st.sampled_from(["pause", "resume"]), st.floats(0.001, 1000)),
        )
    )
)
def test_whatever_is_done_to_a_scaled_clock_it_never_jumps(steps):
    machine = VirtualClock()
    clock = ScaledClock(machine)
    for wait_ns, change in steps:
        before_ns = clock.now_ns()
        machine.advance(wait_ns)
        now_ns = clock.now_ns()
        assert 0 <= now_ns - before_ns <= wait_ns * 1000
        if change == "pause":
            clock.pause()
        elif change == "resume":
            clock.resume()
        else:
            clock.speed = change
        assert clock.now_ns() == now_ns


@given(st.floats(0.001, 1000), st.integers(0, 10**12), st.integers(1, 10**12))
def test_a_scaled_sleep_ends_on_time_and_not_a_nanosecond_later_than_the_wrapped_one_can(
    speed, start_ns, ahead_ns
):
    machine = VirtualClock(start_ns)
    clock = ScaledClock(machine, speed)
    due_ns = clock.now_ns() + ahead_ns
    asked = 0
    while clock.now_ns() < due_ns and asked < 100:
        clock.sleep_until(due_ns)
        asked += 1
    if asked < 100:
        assert due_ns <= clock.now_ns() <= due_ns + speed + 1


def test_a_loop_on_a_slowed_clock_keeps_its_grid_in_that_clocks_time():
    machine = VirtualClock()
    clock = ScaledClock(machine, speed=0.25)
    due = [tick.due_ns for tick in Loop(rate_hz=100, ticks=4, clock=clock)]
    assert due == [0, 10 * MS, 20 * MS, 30 * MS]
    assert machine.now_ns() == 120 * MS


def test_the_anchor_is_one_instant_on_two_clocks():
    assert unix_anchor(VirtualClock(42), unix_ns=lambda: 1_000) == (42, 1_000)


def test_the_anchor_is_the_narrowest_of_its_brackets():
    machine = VirtualClock()
    widths = iter([900, 40, 700, 500])

    def unix_ns() -> int:
        width = next(widths)
        machine.advance(width)
        return 10**18 + machine.now_ns() - width // 2

    clock_ns, unix = unix_anchor(machine, unix_ns, tries=4)
    assert clock_ns == 900 + 20
    assert unix == 10**18 + 920


def test_the_anchor_agrees_with_the_clocks_of_this_machine():
    before = time.time_ns(), time.perf_counter_ns()
    clock_ns, unix_ns = unix_anchor(SystemClock())
    assert before[1] <= clock_ns <= time.perf_counter_ns()
    assert before[0] <= unix_ns <= time.time_ns()
