"""Time and waking: what a clock costs, how late a sleep ends, how long a hand-over takes."""

from __future__ import annotations

import subprocess
import sys
import threading
import time
from collections.abc import Callable, Iterator
from itertools import pairwise
from queue import SimpleQueue

from guide.ceilings.card import Figure, best, percentiles
from guide.clock import SystemClock

_ECHO = "import os\nwhile os.read(0, 1): os.write(1, b'.')"
_ROUNDS = 300


def clock() -> Iterator[Figure]:
    """What reading the clock costs, and the smallest step it takes."""
    now_ns, costs, steps = time.perf_counter_ns, [], []
    for _ in range(20):
        stamps = [now_ns() for _ in range(2000)]
        costs.append((stamps[-1] - stamps[0]) / (len(stamps) - 1))
        steps.append(min(b - a for a, b in pairwise(stamps) if b > a))
    yield best("clock.read", "reading the clock", costs, "ns", "a span reads it twice")
    yield best("clock.step", "clock step", steps, "ns", "the smallest difference it showed")


def lateness(quick: bool) -> Iterator[Figure]:
    """How late this package's clock and a plain sleep wake, at three rates."""
    punctual = SystemClock()
    late(punctual.sleep_until, 1000, 50)  # it learns how late the machine wakes it
    for rate_hz, count in ((1000, 100), (240, 100), (60, 12)) if quick else _WAKES:
        times = late(punctual.sleep_until, rate_hz, count)
        why = "how late a tick begins: sleep, then spin"
        yield from percentiles(f"wake.{rate_hz}", f"waking at {rate_hz} Hz", times, why)
        if not quick:
            times = late(_plain_sleep, rate_hz, 100 if rate_hz > 60 else 20)
            why, id = "the same by time.sleep alone", f"wake.{rate_hz}.plain"
            yield from percentiles(id, f"plain sleep at {rate_hz} Hz", times, why)


_WAKES = ((1000, 400), (240, 200), (60, 100))  # a p99 takes a hundred


def late(sleep_until: Callable[[int], object], rate_hz: float, count: int) -> list[int]:
    """How late, in ns, `count` sleeps to a grid of `rate_hz` end."""
    now_ns, period_ns = time.perf_counter_ns, round(1e9 / rate_hz)
    due_ns, times = now_ns(), []
    for _ in range(count):
        due_ns += period_ns * (1 + max(now_ns() - due_ns, 0) // period_ns)
        sleep_until(due_ns)
        times.append(now_ns() - due_ns)
    return times


def _plain_sleep(until_ns: int) -> None:
    time.sleep(max(until_ns - time.perf_counter_ns(), 0) / 1e9)


def handover() -> Iterator[Figure]:
    """How long it takes to wake a waiting thread, and a waiting process: half a round trip."""
    there: SimpleQueue[bool] = SimpleQueue()
    back: SimpleQueue[bool] = SimpleQueue()

    def echo() -> None:
        while there.get():
            back.put(True)

    def ask_thread() -> None:
        there.put(True)
        back.get()

    thread = threading.Thread(target=echo)
    thread.start()
    times = _halves(ask_thread)
    there.put(False)
    thread.join()
    why = "handing an item to a thread that waits at a queue"
    yield from percentiles("wake.thread", "waking a thread", times, why)
    command = [sys.executable, "-S", "-c", _ECHO]
    with subprocess.Popen(command, bufsize=0, stdin=-1, stdout=-1) as child:
        assert child.stdin
        assert child.stdout
        write, read = child.stdin.write, child.stdout.read

        def ask_process() -> None:
            write(b".")
            read(1)

        times = _halves(ask_process)
    why = "handing a byte to a process that waits at a pipe"
    yield from percentiles("wake.process", "waking a process", times, why)


def _halves(ask: Callable[[], None]) -> list[int]:
    now_ns, times = time.perf_counter_ns, []
    ask()
    for _ in range(_ROUNDS):
        start_ns = now_ns()
        ask()
        times.append((now_ns() - start_ns) // 2)
    return times
