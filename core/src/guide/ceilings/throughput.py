"""Memory and arithmetic: how far away data is, how fast it comes, how fast it is computed on."""

from __future__ import annotations

import statistics
import sys
import threading
import time
from collections.abc import Callable, Iterator, Sequence
from itertools import pairwise, product
from typing import TYPE_CHECKING, NamedTuple

from guide.ceilings.card import Figure, best, binary, judge
from guide.ceilings.kernels import CHAINS, Kernel, Kernels
from guide.machine import memory_bytes, usable_threads

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

_PAGE = 4096
_LINE = 64  # bytes that come together, on x86 and most of Arm
_HUGE = 2 << 20  # a huge page: numpy asks for them, and the kernel gives them where they fit
_WINDOWS = 8
_TURNS = 1 << 19  # of the chains, in a call: about a millisecond


class Rates(NamedTuple):
    """Calls a nanosecond in each window, and how much the threads stood still in the best one."""

    each: list[float]
    idle: float


class Workshop:
    """The compiled loops, the threads there are, and the memory that all of them work on.

    The memory is touched by all threads, each its part, so that on a machine of several memories
    each part lies where its thread runs.
    """

    def __init__(self, quick: bool = False) -> None:
        from concurrent.futures import ThreadPoolExecutor

        import numpy as np

        self.kernels, self.threads, self.quick = Kernels(), usable_threads(), quick
        # Three arrays, each several times what a core's share of the last cache holds.
        room = (memory_bytes() or 4 << 30) // 24 // self.threads
        self.part = max(min((48 // self.threads + 8) << 20, room) // _HUGE, 1) * _HUGE
        self.size = self.part * self.threads
        whole = np.empty(3 * self.size + _HUGE, np.uint8)
        self.memory: NDArray[np.uint8] = whole[-whole.ctypes.data % _HUGE :][: 3 * self.size]
        self.start: int = self.memory.ctypes.data
        pieces = self.memory.view(np.float64).reshape(3 * self.threads, -1)
        self._pool = ThreadPoolExecutor(self.threads)
        list(self._pool.map(lambda piece: piece.fill(0.5), pieces))

    def rates(self, call: Callable[[int], object], threads: int) -> Rates:
        """How fast `call(thread)` is made by so many threads at once, in eight windows.

        The windows lie where every thread is at work: what counts is what they do together. A
        thread that another program keeps from running is slow in every window alike; that it
        stood still shows in its processor time.
        """
        import numpy as np

        stamps: list[list[tuple[int, int]]] = [[] for _ in range(threads)]
        length_ns = 30_000_000 if self.quick else 40_000_000
        together = threading.Barrier(threads)

        def work(i: int) -> None:
            mine, wall_ns, cpu_ns = stamps[i], time.perf_counter_ns, time.thread_time_ns
            call(i)
            together.wait()
            mine.append((wall_ns(), cpu_ns()))
            while mine[-1][0] - mine[0][0] < length_ns:
                call(i)
                mine.append((wall_ns(), cpu_ns()))

        list(self._pool.map(work, range(threads)))
        table = [np.array(mine, float).T for mine in stamps]
        begin, end = max(wall[0] for wall, _ in table), min(wall[-1] for wall, _ in table)
        edges = np.linspace(begin, end, _WINDOWS + 1)
        done = sum(np.interp(edges, wall, np.arange(wall.size)) for wall, _ in table)
        busy = sum(np.interp(edges, wall, cpu) for wall, cpu in table)
        each, running = (np.diff(total) / np.diff(edges) for total in (done, busy))
        idle = max(1 - float(running[each.argmax()]) / threads, 0.0)
        # Windows counts processor time in steps of 16 ms.
        return Rates(each.tolist(), 0.0 if sys.platform == "win32" else idle)


def bandwidth(shop: Workshop) -> Iterator[Figure]:
    """The triad on one thread and on all, in every way of storing; and a plain copy."""
    a, b, c = (shop.start + i * shop.size for i in range(3))
    part = shop.part
    for id, threads in (("1", 1), ("all", shop.threads)):
        tries = []
        for width, past in product(shop.kernels.widths, ("", "_nt")):
            triad, count = shop.kernels[f"triad_{width}{past}"], part // width

            def call(i: int, triad: Kernel = triad, count: int = count) -> None:
                triad(a + i * part, b + i * part, c + i * part, count)

            tries.append((3 * part, shop.rates(call, threads)))
        why = "a = b + s * c: 24 bytes an element, what a store reads first not counted"
        yield _ceiling(f"triad.{id}", f"memory bandwidth, {_who(threads)}", tries, "GB/s", why)
    source, target, _ = shop.memory.reshape(3, -1)

    def copy(i: int) -> None:
        target[:part] = source[:part]

    tries = [(2 * part, shop.rates(copy, 1))]
    yield _ceiling("copy.1", "copy, 1 thread", tries, "GB/s", "numpy's: bytes read plus written")


def arithmetic(shop: Workshop) -> Iterator[Figure]:
    """Multiply-adds in the widest registers, on one thread and on all."""
    for (kind, size), (id, threads) in product(
        (("f32", 4), ("f64", 8)), (("1", 1), ("all", shop.threads))
    ):
        tries = []
        for width in shop.kernels.widths:
            fma = shop.kernels[f"fma_{kind}_{width}"]

            def call(i: int, fma: Kernel = fma) -> None:
                fma(shop.start + i * _PAGE, _TURNS)  # threads on one line would wait for it

            tries.append((2 * CHAINS * _TURNS * width // size, shop.rates(call, threads)))
        why = "multiply-adds in registers, two operations each"
        name = f"{kind} arithmetic, {_who(threads)}"
        yield _ceiling(f"fma.{kind}.{id}", name, tries, "GFLOP/s", why)


def _ceiling(
    id: str, name: str, tries: Sequence[tuple[float, Rates]], unit: str, why: str
) -> Figure:
    """The fastest of some ways to do the same; each is the work of a call, and its rates."""
    work, rates = max(tries, key=lambda way: way[0] * max(way[1].each))
    return best(id, name, [work * rate for rate in rates.each], unit, why, rates.idle)


def _who(threads: int) -> str:
    return "1 thread" if threads == 1 else f"all {threads} threads"


def latency(shop: Workshop, curve: list[tuple[int, float]]) -> Iterator[Figure]:
    """How long a load takes that must wait for the one before; the curve goes into `curve`.

    Each size is a random cycle through all its lines, so that no prefetcher can guess the next.
    It leaves addresses in the memory, which as numbers are too small for fast arithmetic: it
    comes last.
    """
    import numpy as np

    random, cells = np.random.default_rng(0), shop.memory.view(np.uint64)
    chase, loads = shop.kernels["chase"], 1 << 13 if shop.quick else 1 << 14
    spreads = []
    for halves in range(24, 55, 2 if shop.quick else 1):  # of an octave: 4 KiB to 128 MiB
        lines = int(2 ** (halves / 2)) // _LINE
        if lines * _LINE > shop.memory.size:
            break
        order = random.permutation(lines).astype(np.uint64) * _LINE
        cells[order // 8] = np.roll(order, -1) + shop.start
        at, trials = shop.start + int(order[0]), []
        if lines < 1 << 18:  # past that the first loads of a cycle are cold, and stay so
            at = chase(at, lines)
        for _ in range(11):
            start_ns = time.perf_counter_ns()
            at = chase(at, loads)
            trials.append((time.perf_counter_ns() - start_ns) / loads)
        figure = best("", "", trials, "ns", "")
        curve.append((lines * _LINE, figure.value))
        spreads.append(figure.spread)
    flat = plateaus([ns for _, ns in curve], 1.3 if shop.quick else 1.16)
    if not flat or flat[-1][1] < len(curve):  # no flat end: the largest size is what there is
        flat.append((len(curve) - 1, len(curve)))
    for i, (first, end) in enumerate(flat):
        level = "memory" if end == len(curve) else f"L{i + 1}"
        held = f"in data of up to {binary(curve[end - 1][0])}"
        reach = "past all caches" if level == "memory" else held
        ns, spread = (
            statistics.median(part[first:end]) for part in ([ns for _, ns in curve], spreads)
        )
        why = f"a load that waits for the one before, {reach}"
        yield judge(f"latency.{level.lower()}", f"latency, {level}", ns, "ns", spread, why)


def plateaus(values: Sequence[float], rise: float) -> list[tuple[int, int]]:
    """Where neighbours differ by less than a factor `rise`: (first, end) of each such stretch.

    A stretch has three values at least: two alike may lie on a slope by chance.

    >>> plateaus([1, 1, 1.05, 4, 4.1, 4.1, 9, 30, 80, 81, 80], 1.1)
    [(0, 3), (3, 6), (8, 11)]
    """
    cuts = [i for i in range(1, len(values)) if not 1 / rise < values[i] / values[i - 1] < rise]
    return [(a, b) for a, b in pairwise([0, *cuts, len(values)]) if b - a >= 3]
