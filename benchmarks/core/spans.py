"""What a span costs, over two reads of the clock in the same process; and what peers' spans cost.

Each figure is the least of many short repeats, for whatever disturbs one makes it slower; floor and
span alternate, so that both see the same machine.
"""

from __future__ import annotations

import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

from benchmarks.rows import PEERS, Row, interleaved
from guide.loop import Loop
from guide.timing import Timeline

N, REPEATS, ROUNDS = 500, 40, 9

now_ns = time.perf_counter_ns


def rows() -> Iterator[Row]:
    """Ours against the floor, then the peers against it, each in a process of its own."""
    timeline = Timeline()
    site, lap = timeline.site("span"), timeline.lap("lap")
    off = Timeline(enabled=False).site("span")
    tick = next(iter(Loop(1000, ticks=1, timeline=Timeline())))

    def with_site() -> None:
        for _ in range(N):
            with site:
                pass

    def with_tick() -> None:
        for _ in range(N):
            with tick.span("span"):
                pass

    def laps() -> None:
        for _ in range(N):
            lap()

    def disabled() -> None:
        for _ in range(N):
            with off:
                pass

    def settle() -> None:
        timeline.fold()
        tick.timeline.fold()

    for name, work, goal in (
        ("`with span`", with_site, 3.0),
        ("`with tick.span(name)`", with_tick, None),
        ("lap, per phase", laps, 1.1),
        ("disabled span", disabled, 1.0),
    ):
        yield _row(name, work, goal, settle)
    yield _fold()
    for name, code in PEER_CODE.items():
        yield _peer(name, code)


def floor() -> None:
    """Two reads of the clock, so often."""
    for _ in range(N):
        now_ns()
        now_ns()


def empty() -> None:
    """The loop around them."""
    for _ in range(N):
        pass


def least(work: Callable[[], None], settle: Callable[[], None] = lambda: None) -> float:
    """Nanoseconds of one turn of `work`, without the loop."""
    best = around = 1 << 60
    for _ in range(REPEATS):
        start = now_ns()
        empty()
        middle = now_ns()
        work()
        end = now_ns()
        best, around = min(best, end - middle), min(around, middle - start)
        settle()
    return (best - around) / N


def _row(
    name: str, work: Callable[[], None], goal: float | None, settle: Callable[[], None]
) -> Row:
    ours, two, ratio, spread = interleaved(
        lambda: least(work, settle), lambda: least(floor), ROUNDS
    )
    said = "-" if goal is None else f"at most {goal}"
    met = None if goal is None else ratio <= goal
    return Row(name, f"{ours:.0f} ns", f"two clock reads {two:.0f} ns", ratio, said, met, spread)


def _fold() -> Row:
    """Working spans out later: 4,096 of ten names at once, off the critical path."""
    timeline = Timeline()
    sites = [timeline.site(f"phase {i}") for i in range(10)]

    def fold() -> float:
        for _ in range(410):
            for site in sites:
                with site:
                    pass
        start = now_ns()
        timeline.fold()
        return (now_ns() - start) / 4100

    ours, two, ratio, spread = interleaved(fold, lambda: least(floor), 21)
    return Row("working it out later, per span", f"{ours:.0f} ns", f"two clock reads {two:.0f} ns",
               ratio, "-", None, spread)  # fmt: skip


# Each prints how many times the floor, measured in its own process, its span costs.
PEER_CODE = {
    "viztracer log_event": (
        "from viztracer import VizTracer\n"
        "tracer = VizTracer(verbose=0, max_stack_depth=0)\n"
        "tracer.start()\n"
        "def work():\n    for _ in range(N):\n"
        "        with tracer.log_event('x'):\n            pass\n"
        "settle = tracer.clear\n"
    ),
    "OpenTelemetry span, batch, no exporter": (
        "from opentelemetry.sdk.trace import TracerProvider\n"
        "tracer = TracerProvider().get_tracer('x')\n"
        "def work():\n    for _ in range(N):\n"
        "        with tracer.start_as_current_span('x'):\n            pass\n"
        "settle = lambda: None\n"
    ),
    "torch record_function, not profiling": (
        "from torch.profiler import record_function\n"
        "def work():\n    for _ in range(N):\n"
        "        with record_function('x'):\n            pass\n"
        "settle = lambda: None\n"
    ),
}


def _peer(name: str, code: str) -> Row:
    code = (
        f"import sys; sys.path.append({str(PEERS)!r})\n"
        "import benchmarks.core.spans as s\nN = s.N\n"
        f"{code}print(s.least(work, settle), s.least(s.floor))\n"
    )
    run = subprocess.run(
        [sys.executable, "-c", code], capture_output=True, text=True, cwd=Path(__file__).parents[2]
    )
    if run.returncode:
        return Row(name, "-", "absent: make bench-core installs it", None, "-", None)
    cost, two = map(float, run.stdout.split()[-2:])
    return Row(f"peer: {name}", "-", f"{cost:,.0f} ns", cost / two, "-", None)
