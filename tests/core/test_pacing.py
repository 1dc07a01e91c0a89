"""The pacer on a simulated kernel whose every lateness is known."""

import signal
import threading
import time
from collections.abc import Callable
from itertools import chain, cycle, islice, repeat

import pytest

from guide import pacing
from guide.clock import SystemClock
from guide.pacing import Pacer

US = 1_000
MS = 1_000_000
READ_NS = 50  # what one look at the clock costs


class Kernel:
    """A machine on which time passes by looking at the clock and by sleeping, and which wakes a
    sleeper late by the next of `overshoots`."""

    def __init__(self, overshoots) -> None:
        self.t_ns = 0
        self.slept_until: list[int] = []
        self._overshoots = iter(overshoots)

    def now(self) -> int:
        self.t_ns += READ_NS
        return self.t_ns

    def sleep(self, seconds: float) -> None:
        self.t_ns += round(seconds * 1e9) + next(self._overshoots)
        self.slept_until.append(self.t_ns)


def pace(overshoots, ticks: int, period_ns: int = 4 * MS, work: Callable[[], None] | None = None):
    """Run a grid; the pacer, and for each tick its lateness and how long it spun."""
    kernel = Kernel(overshoots)
    pacer = Pacer(kernel.now, kernel.sleep)
    late, spun = [], []
    for k in range(1, ticks + 1):
        due_ns = k * period_ns
        before = len(kernel.slept_until)
        pacer.sleep_until(due_ns)
        late.append(kernel.t_ns - due_ns)
        if len(kernel.slept_until) > before:
            spun.append(max(due_ns - kernel.slept_until[-1], 0))
    return pacer, late, spun


def share(values, bound) -> float:
    return sum(v > bound for v in values) / len(values)


@pytest.fixture(autouse=True)
def linux_ceiling(monkeypatch):
    monkeypatch.setattr(pacing, "CAP_NS", 250 * US)


def test_it_never_returns_early_and_at_once_when_the_time_has_passed():
    kernel = Kernel(repeat(0))
    pacer = Pacer(kernel.now, kernel.sleep)
    for due in (1, 100, 10 * US, 100 * US, 5 * MS, 100 * MS):
        pacer.sleep_until(due)
        assert due <= kernel.t_ns
    slept = len(kernel.slept_until)
    pacer.sleep_until(kernel.t_ns - 1)
    assert len(kernel.slept_until) == slept


def test_a_constant_overshoot_is_learned_and_hidden():
    pacer, late, _ = pace(repeat(60 * US), 1000)
    assert 59 * US < pacer.margin_ns < 71 * US
    assert share(late[100:], US) <= 0.011


def test_the_margin_comes_down_again_on_a_machine_that_wakes_sooner():
    pacer, _, _ = pace(chain(repeat(120 * US, 500), repeat(20 * US)), 4000)
    assert 15 * US < pacer.margin_ns < 35 * US


def test_one_wake_up_in_a_hundred_is_later_than_the_margin():
    overshoots = [30 * US] * 95 + [45 * US] * 4 + [200 * US]  # in an order without a pattern
    shuffled = [overshoots[i * 37 % 100] for i in range(100)]
    _, late, _ = pace(cycle(shuffled), 20_000)
    assert 0.005 < share(late[2000:], US) < 0.02


def test_bursts_of_contention_teach_it_nothing():
    quiet, _, _ = pace(repeat(60 * US), 1000)
    burst = chain(repeat(60 * US, 1000), repeat(5 * MS, 300), repeat(60 * US))
    after, _, _ = pace(burst, 1000 + 300 + 5)
    assert abs(after.margin_ns - quiet.margin_ns) <= 10 * US


def test_lateness_that_the_ceiling_could_not_catch_teaches_it_nothing():
    pacer, _, _ = pace(repeat(300 * US), 500)
    assert pacer.margin_ns == pacing._FIRST_NS


@pytest.mark.parametrize("period_ns", [500 * US, MS, 4 * MS, 100 * MS])
@pytest.mark.parametrize("scatter", [[0], [30 * US, 400 * US], [0, 240 * US, 90 * US, 5 * MS]])
def test_a_spin_never_exceeds_its_ceilings(period_ns, scatter):
    pacer, _, spun = pace(cycle(scatter), 3000, period_ns)
    assert max(spun) <= min(250 * US, period_ns // 4)
    assert pacer.margin_ns <= 250 * US


@pytest.mark.parametrize("period_ns", [MS, 4 * MS])
def test_in_the_mean_it_spins_no_more_than_its_budget(period_ns):
    scatter = cycle([10 * US, 240 * US, 20 * US, 170 * US, 15 * US, 90 * US, 12 * US])
    _, _, spun = pace(scatter, 12_000, period_ns)
    settled = spun[4000:]
    assert sum(settled) / len(settled) < 1.1 * min(35 * US, 0.02 * period_ns)


def test_a_short_sleep_is_mostly_slept():
    kernel = Kernel(repeat(0))
    Pacer(kernel.now, kernel.sleep).sleep_until(20 * US)
    assert kernel.slept_until[0] >= 14 * US


def test_spinning_can_be_switched_off():
    kernel = Kernel(repeat(60 * US))
    pacer = Pacer(kernel.now, kernel.sleep)
    pacer.cap_ns = 0
    pacer.sleep_until(4 * MS)
    assert kernel.slept_until == [4 * MS + 60 * US]


def test_a_sleep_that_ends_early_is_asked_again():
    kernel = Kernel(chain([-1 * MS, -100 * US], repeat(0)))
    Pacer(kernel.now, kernel.sleep).sleep_until(4 * MS)
    assert len(kernel.slept_until) == 3
    assert kernel.t_ns >= 4 * MS


def test_learning_is_the_same_for_the_same_kernel():
    scatter = list(islice(cycle([15 * US, 80 * US, 33 * US, 6 * MS, 21 * US]), 2000))
    first, second = (pace(scatter, 1500)[1] for _ in range(2))
    assert first == second


@pytest.mark.skipif(not hasattr(signal, "setitimer"), reason="this system has no setitimer")
def test_a_signal_is_handled_during_the_sleep_and_the_deadline_kept():
    handled = []
    before = signal.signal(signal.SIGALRM, lambda *_: handled.append(time.perf_counter_ns()))
    clock = SystemClock()
    due_ns = clock.now_ns() + 200 * MS
    try:
        signal.setitimer(signal.ITIMER_REAL, 0.02)
        clock.sleep_until(due_ns)
    finally:
        signal.setitimer(signal.ITIMER_REAL, 0)
        signal.signal(signal.SIGALRM, before)
    assert clock.now_ns() >= due_ns
    assert handled
    assert handled[0] < due_ns


def test_other_threads_run_while_it_sleeps():
    seen = threading.Event()
    clock = SystemClock()
    due_ns = clock.now_ns() + 300 * MS
    at_ns: list[int] = []

    def other() -> None:
        at_ns.append(time.perf_counter_ns())
        seen.set()

    threading.Thread(target=other).start()
    clock.sleep_until(due_ns)
    assert seen.is_set()
    assert at_ns[0] < due_ns
