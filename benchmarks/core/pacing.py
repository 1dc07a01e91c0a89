"""How punctual the loop is, beside `cyclictest`, and how much the other Python pacers drift.

Both sides pace in turn, a few seconds each, in processes of their own; what is compared is the
ratio within each pair of neighbours, because the machine underneath changes by the second.

    python -m benchmarks.core pacing
    python -m benchmarks.core.pacing child --hz 240 --seconds 3 --realtime

`cyclictest` (https://man.archlinux.org/man/cyclictest.8) refuses to run without privileges. Its
ordinary class is therefore run by root with `--policy=other --laptop`: no real-time class, and no
wish about idle states, which is all that an ordinary user could have had.
"""

from __future__ import annotations

import argparse
import contextlib
import json
import math
import os
import shutil
import statistics
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from fractions import Fraction
from pathlib import Path

from benchmarks.rows import Row, with_peers
from guide.clock import SystemClock

ROUNDS = 4
NOBODY = 65534
Figures = dict[str, float]  # p50_us, p99_us, p999_us; of ours also error_ppm, cpu_percent


def rows() -> Iterator[Row]:
    """Measure; 140 s."""
    if shutil.which("cyclictest") is None or os.geteuid() != 0:
        why = "needs cyclictest (apt install rt-tests) and root"
        yield Row("lateness against cyclictest", "-", why, None, "1.0", None)
    else:
        yield from _against_cyclictest()
    yield from _idle()
    yield from _rates()


def _against_cyclictest() -> Iterator[Row]:
    for hz, seconds in ((240, 2.5), (1000, 1.5)):
        pairs = _slots(hz, seconds, ["--realtime"], ["-m", "-p80"])
        what = f"at {hz} Hz, --realtime as root"
        ours = statistics.median(a["p50_us"] for a, _ in pairs)
        yield _row(pairs, "p50", what, "cyclictest FIFO", "ours 1 us", ours <= 1)
        for name in ("p99", "p999"):
            yield _row(pairs, name, what, "cyclictest FIFO", 1.0)
    for hz in (240, 1000):
        pairs = _slots(hz, 1.5, ["--nobody"], ["--policy=other", "--laptop"])
        yield _row(pairs, "p99", f"at {hz} Hz, without privileges", "cyclictest ordinary", 1.0)
    with _hogs(2):
        what = "at 240 Hz beside two busy processes"
        pairs = _slots(240, 1.5, ["--realtime"], ["-m", "-p80"])
        yield _row(pairs, "p99", f"{what}, --realtime as root", "cyclictest FIFO", 2.0)
        pairs = _slots(240, 1.5, ["--nobody", "--realtime"], ["--policy=other", "--laptop"])
        yield _row(pairs, "p99", f"{what}, --realtime without", "cyclictest ordinary", 2.0)


def _idle() -> Iterator[Row]:
    for hz, most in ((240, 3.0), (1000, 7.0)):
        for flag in ("--realtime", "--loop"):
            options = {"--loop", flag, f"--hz={hz}", "--seconds=1"}
            cpu = [_child(*options)["cpu_percent"] for _ in range(3)]
            ours = statistics.median(cpu)
            spread = f"{min(cpu):.1f} to {max(cpu):.1f} %"
            what = f"CPU of an idle Loop at {hz} Hz" + ", --realtime" * (flag == "--realtime")
            yield Row(what, f"{ours:.1f} %", "-", None, f"{most:g} %", ours <= most, spread)


def _rates() -> Iterator[Row]:
    for hz in ("59.94", "60", "144", "240", "1000"):
        got = _child("--loop", f"--hz={hz}", "--seconds=1")
        # Of when ticks are due: by how much the last is off k periods. When they begin is lateness.
        ppm = got["grid_ns"] / 1e3  # ns in a second, in millionths
        ours = f"off by {ppm:.4f} ppm after 1 s"
        yield Row(f"rate of the Loop at {hz} Hz", ours, "-", None, "under 1 ppm", ppm < 1)
    for name in PEERS:
        try:
            error = _child(f"--peer={name}", "--hz=240", "--seconds=1")["error_ppm"] / 1e4
        except subprocess.CalledProcessError:
            how = "absent: pip install --target build/peers -r benchmarks/peers.txt"
            yield Row(f"rate of {name} at 240 Hz", "-", how, None, "-", None)
        else:
            yield Row(f"rate of {name} at 240 Hz", "-", f"{error:+.1f} % slow", None, "-", None)


def _row(
    pairs: list[tuple[Figures, Figures]],
    name: str,
    what: str,
    peer: str,
    goal: float | str,
    ok: bool | None = None,
) -> Row:
    key = f"{name}_us"
    ratios = sorted(a[key] / max(b[key], 1) for a, b in pairs)  # cyclictest counts whole us
    ratio = statistics.median(ratios)
    low, _, high = statistics.quantiles(ratios, n=4)
    return Row(
        f"lateness {name.replace('999', '99.9')} {what}",
        f"{statistics.median(a[key] for a, _ in pairs):.1f} us",
        f"{peer} {statistics.median(b[key] for _, b in pairs):.0f} us",
        ratio,
        f"{goal}",
        ratio <= goal if isinstance(goal, float) else ok,
        f"{low:.2f} to {high:.2f}",
    )


def _slots(
    hz: int, seconds: float, ours: list[str], peer: list[str]
) -> list[tuple[Figures, Figures]]:
    """Pairs of neighbouring slots; who goes first alternates."""
    pairs = []
    for i in range(ROUNDS):
        sides: list[Callable[[], Figures]] = [
            lambda: _child(f"--hz={hz}", f"--seconds={seconds}", *ours),
            lambda: _cyclictest(hz, round(hz * seconds), peer),
        ]
        got = [side() for side in (reversed(sides) if i % 2 else sides)]
        pairs.append((got[1], got[0]) if i % 2 else (got[0], got[1]))
    return pairs


def _child(*options: str) -> Figures:
    command = [sys.executable, "-m", "benchmarks.core.pacing", "child", *options]
    root = Path(__file__).parents[2]
    done = subprocess.run(command, cwd=root, capture_output=True, text=True, check=True)
    figures: Figures = json.loads(done.stdout.splitlines()[-1])
    return figures


def _cyclictest(hz: int, loops: int, options: list[str]) -> Figures:
    command = ["cyclictest", "-q", f"-i{round(1e6 / hz)}", f"-l{loops}", "-h20000", *options]
    done = subprocess.run(command, capture_output=True, text=True, check=True)
    counts = [
        (int(us), int(n))
        for us, n in (line.split() for line in done.stdout.splitlines() if line[:1].isdigit())
    ]
    late = [us for us, n in counts for _ in range(n)]
    late += [20_000] * (loops - len(late))  # what did not fit its histogram
    return _percentiles(late)


def _percentiles(late_us: list[float] | list[int]) -> Figures:
    late = sorted(late_us)
    at = {"p50_us": 0.5, "p99_us": 0.99, "p999_us": 0.999}
    return {name: late[min(int(q * len(late)), len(late) - 1)] for name, q in at.items()}


@contextlib.contextmanager
def _hogs(count: int) -> Iterator[None]:
    hogs = [subprocess.Popen([sys.executable, "-c", "while True: pass"]) for _ in range(count)]
    try:
        yield
    finally:
        for hog in hogs:
            hog.kill()
            hog.wait()


def child(arguments: list[str]) -> None:
    """Pace once and print the figures as JSON."""
    from guide.realtime import realtime

    parser = argparse.ArgumentParser()
    parser.add_argument("--hz", required=True)
    parser.add_argument("--seconds", type=float, required=True)
    for flag in ("--realtime", "--nobody", "--loop"):
        parser.add_argument(flag, action="store_true")
    parser.add_argument("--peer", choices=PEERS)
    asked = parser.parse_args(arguments)
    rate, count = Fraction(asked.hz), round(float(asked.hz) * asked.seconds)
    pace = PEERS[asked.peer] if asked.peer else _loop if asked.loop else _bare
    if asked.nobody:
        with realtime():  # imports what it needs, which nobody may not read
            pass
        os.setgid(NOBODY)
        os.setuid(NOBODY)
    with realtime(CLOCK) if asked.realtime else contextlib.nullcontext():
        pace(Fraction(1000), 100)  # what is imported and built on first use is not pacing
        cpu_ns, wall_ns = time.process_time_ns(), time.perf_counter_ns()
        due, woke = pace(rate, count)
        cpu_ns, wall_ns = time.process_time_ns() - cpu_ns, time.perf_counter_ns() - wall_ns
    period_ns = 10**9 / rate
    slots = [round((t - due[0]) / period_ns) for t in due]
    late_ns = [float(w - due[0] - k * period_ns) for k, w in zip(slots, woke, strict=True)]
    quarter = len(late_ns) // 4
    drift_ns = statistics.median(late_ns[-quarter:]) - statistics.median(late_ns[:quarter])
    figures = {
        **_percentiles([late / 1e3 for late in late_ns]),
        "grid_ns": float(
            max(abs(t - due[0] - k * period_ns) for k, t in zip(slots, due, strict=True))
        ),
        "error_ppm": 1e6 * drift_ns / float(0.75 * len(late_ns) * float(period_ns)),
        "cpu_percent": 100 * cpu_ns / wall_ns,
    }
    print(json.dumps(figures))


CLOCK = SystemClock()

# Each paces `count` ticks at `rate`: when they were due, and when they began.
Stamps = tuple[list[int], list[int]]


def _bare(rate: Fraction, count: int) -> Stamps:
    clock, due, woke = CLOCK, [0] * count, [0] * count
    origin_ns = clock.now_ns() + 10_000_000
    slot = 0
    for k in range(count):
        due[k] = due_ns = origin_ns + int(slot * 10**9 / rate)
        clock.sleep_until(due_ns)
        woke[k] = clock.now_ns()
        # Slots that passed are given up, as the Loop and cyclictest do: a stall counts once.
        slot = max(slot + 1, math.ceil((woke[k] - origin_ns) * rate / 10**9))
    return due, woke


def _loop(rate: Fraction, count: int) -> Stamps:
    from guide.loop import Loop

    due, woke = [], []
    for tick in Loop(rate_hz=float(rate), ticks=count, clock=CLOCK):
        due.append(tick.due_ns)
        woke.append(tick.start_ns)
    return due, woke


def _counted(rate: Fraction, count: int, sleep: Callable[[], object]) -> Stamps:
    woke = [time.perf_counter_ns()]
    for _ in range(count):
        sleep()
        woke.append(time.perf_counter_ns())
    return [woke[0] + int(k * 10**9 / rate) for k in range(count + 1)], woke


def _naive(rate: Fraction, count: int) -> Stamps:
    period_s = float(1 / rate)
    return _counted(rate, count, lambda: time.sleep(period_s))


def _loop_rate_limiters(rate: Fraction, count: int) -> Stamps:
    from loop_rate_limiters import RateLimiter

    return _counted(rate, count, RateLimiter(frequency=float(rate), warn=False).sleep)


def _pygame(rate: Fraction, count: int) -> Stamps:
    import pygame

    clock = pygame.time.Clock()
    clock.tick(float(rate))
    return _counted(rate, count, lambda: clock.tick(float(rate)))


def _pyglet(rate: Fraction, count: int) -> Stamps:
    from pyglet.clock import Clock

    clock, woke = Clock(), [0]
    clock.schedule_interval(lambda _: woke.append(time.perf_counter_ns()), float(1 / rate))
    woke[0] = time.perf_counter_ns()
    while len(woke) <= count:
        time.sleep(max(clock.get_sleep_time(sleep_idle=True) or 0, 0))
        clock.tick()
    return [woke[0] + int(k * 10**9 / rate) for k in range(count + 1)], woke


PEERS = {
    "time.sleep(period)": _naive,
    "loop-rate-limiters": _loop_rate_limiters,
    "pyglet.clock": _pyglet,
    "pygame-ce Clock.tick": _pygame,
}


if __name__ == "__main__":
    if sys.argv[1:2] != ["child"]:
        sys.exit("usage: python -m benchmarks.core.pacing child --hz HZ --seconds S")
    with_peers()
    child(sys.argv[2:])
