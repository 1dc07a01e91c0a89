"""Waking on time: sleep until shortly before, spin the rest.

A kernel wakes a sleeper late, never early. The timer fires on time, but the core it fires on was
halted and must come back, other work must leave it, and Python must get its lock again: 20 to
200 us as a rule, some milliseconds when the machine is busy with others. A loop that accepts this
starts every tick late. One that spins instead is punctual, at the price of a whole core; worse,
Linux takes the core away for 50 ms of every second from a real-time thread that never sleeps
(`sched_rt_runtime_us`), and a fair scheduler makes a spinner pay for its spinning later.

So ask to be woken a margin early and spin what is left of it. The question is how large the
margin should be, and the answer is not a constant: it depends on the machine, its idle states,
its privileges, the rate. The pacer measures how late each of its own wake-ups came and lets the
margin follow the 99th percentile of that: up by 9.9 us whenever a wake-up came later than the
margin, down by 0.1 us whenever it did not. Where one in a hundred is later, the two balance
(stochastic approximation: Robbins and Monro 1951, https://doi.org/10.1214/aoms/1177729586).

Three rules keep it honest:

- *It does not learn from contention.* A wake-up so late that no permitted margin could have
  caught it says that the core was busy, not how long waking takes. A larger margin would not have
  helped; under a fair scheduler it makes the next one worse. Such a wake-up teaches nothing.
- *The margin has a ceiling*: 250 us, and a quarter of the sleep. A spin is never longer, and a
  loop with nothing to do sleeps for three quarters of its time, whatever it has learned.
- *Spinning has a budget*: 25 us a tick in the mean, or 2 % of the sleep where that is less. On a
  machine whose wake-ups scatter, the last percent of punctuality would cost more of a core than
  the loop itself does. Over budget, the margin only falls, and five times as fast.

The last microsecond is lost elsewhere: after some milliseconds of sleep, the code that returns
from here is no longer in the cache. So the spin does not stand still: it calls the function it is
in, for a time that has passed, and walks the way out until it is warm.

`time.sleep` is all the kernel interface this needs. On Linux it is, since Python 3.11,
`clock_nanosleep(CLOCK_MONOTONIC, TIMER_ABSTIME)`: it fixes the deadline before it sleeps, and after
a signal runs the handler and goes back to sleep to the same deadline. Calling that function
through ctypes instead was measured: equally late, and dearer. On Windows `time.sleep` is a
high-resolution waitable timer, on macOS select(): both later than Linux, so their ceiling is 1 ms.
(https://docs.python.org/3/library/time.html#time.sleep)
"""

from __future__ import annotations

import sys
from collections.abc import Callable

CAP_NS = 250_000 if sys.platform == "linux" else 1_000_000

BUDGET_NS = 25_000
_BUDGET_SHARE = 0.02
_UP_NS, _DOWN_NS = 9_900, 100  # balance where one wake-up in a hundred is later than the margin
_OVER_BUDGET_NS = 500
_FIRST_NS = 150_000  # high: to spin too long for a second is better than to begin late


class Pacer:
    """Waits for a time, with a margin it learns from its own wake-ups.

    Args:
        now: the time, in ns.
        sleep: sleeps for so many seconds; may return late, and early too.

    Attributes:
        cap_ns: the most it ever spins; 0 turns spinning off and leaves the kernel's lateness.
        budget_ns: how long it may spin, in the mean.
        margin_ns: how early it asks to be woken, before the ceilings.
        spin_ns: how long it spins, a moving mean.
    """

    def __init__(self, now: Callable[[], int], sleep: Callable[[float], object]) -> None:
        self.cap_ns = CAP_NS
        self.budget_ns = BUDGET_NS
        self.margin_ns = _FIRST_NS
        self.spin_ns = 0.0
        self.now_ns = now
        self._sleep = sleep

    def sleep_until(self, t_ns: int) -> None:
        """Return at `t_ns` or as soon after it as can be; at once when it has passed."""
        now = self.now_ns
        left_ns = t_ns - now()
        if left_ns <= 0:
            return
        cap_ns = min(self.cap_ns, left_ns >> 2)
        margin_ns = min(self.margin_ns, cap_ns)
        ask_ns = t_ns - margin_ns
        # A sleep may end early (Windows rounds to its timer); asking again keeps the promise.
        while (early_ns := ask_ns - now()) > 0:
            self._sleep(early_ns / 1e9)
        late_ns = -early_ns
        self.spin_ns += (max(margin_ns - late_ns, 0) - self.spin_ns) / 64
        if self.spin_ns > min(self.budget_ns, left_ns * _BUDGET_SHARE):
            self.margin_ns = max(self.margin_ns - _OVER_BUDGET_NS, 0)
        elif late_ns <= margin_ns:
            self.margin_ns = max(self.margin_ns - _DOWN_NS, 0)
        elif late_ns < cap_ns:
            self.margin_ns = min(self.margin_ns + _UP_NS, cap_ns)
        while self.now_ns() < t_ns:
            self.sleep_until(0)  # the way out, walked until it is in the cache: see above
