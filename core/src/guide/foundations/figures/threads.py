"""Figures of working side by side: what threads bring, and what they ask for it."""

from __future__ import annotations

import asyncio
import hashlib
import threading
import time
from collections import deque
from collections.abc import Callable, Iterator, Mapping
from queue import Queue, SimpleQueue
from typing import Any

from guide.foundations.figures.stopwatch import best_ns, series
from guide.learn.chart import Lines
from guide.machine import usable_threads


def scaling(quick: bool = False) -> dict[str, Any]:
    """As much work for each of more and more threads: one that holds the GIL, one that does not."""
    turns, block = (2_000, b"x" * 20_000) if quick else (60_000, b"x" * 3_000_000)

    def holds() -> None:
        total = 0
        for i in range(turns):
            total += i

    def lets_go() -> None:
        hashlib.sha256(block).digest()

    counts = sorted({1, 2, *range(4, min(usable_threads(), 16) + 1, 2), min(usable_threads(), 16)})
    lines: dict[str, list[tuple[float, float]]] = {"Python": [], "SHA-256 in C": []}
    for name, work in (("Python", holds), ("SHA-256 in C", lets_go)):
        took_ns = {n: min(together_ns(work, n) for _ in range(2 if quick else 9)) for n in counts}
        lines[name] = [(n, n * took_ns[1] / took_ns[n]) for n in counts]
    return {
        "lines": lines,
        "values": {
            "threads_count": counts[-1],
            "cores_count": usable_threads(),
            "held_x": lines["Python"][-1][1],
            "free_x": lines["SHA-256 in C"][-1][1],
        },
    }


def together_ns(work: Callable[[], None], count: int) -> int:
    """How long `count` threads take to do `work` once each, started at the same moment."""
    gate = threading.Barrier(count + 1)

    def one() -> None:
        gate.wait()
        work()

    threads = [threading.Thread(target=one) for _ in range(count)]
    for thread in threads:
        thread.start()
    gate.wait()
    start_ns = time.perf_counter_ns()
    for thread in threads:
        thread.join()
    return time.perf_counter_ns() - start_ns


def draw_scaling(data: Mapping[str, Any]) -> Lines:
    """Over the number of threads."""
    marks = [(float(n), str(n)) for n in range(1, 17)]
    label = "times the work of one thread"
    return Lines(series(data), "threads", label, log="", x_marks=marks)


def amdahl(quick: bool = False) -> dict[str, Any]:
    """How much faster a program gets by more cores, by the share that can use them: computed."""
    cores = [2.0 ** (i / 2) for i in range(15)]
    lines = {
        f"{percent} %": [(n, speedup(percent / 100, n)) for n in cores] for percent in (50, 90, 99)
    }
    return {
        "computed": True,
        "lines": lines,
        "values": {
            "half_x": speedup(0.50, 128),
            "most_x": speedup(0.90, 128),
            "nearly_x": speedup(0.99, 128),
            "scaled_x": scaled_speedup(0.90, 128),
        },
    }


def speedup(parallel: float, cores: float) -> float:
    """Amdahl's law: the same work on more cores, of which a share can use them."""
    return 1 / ((1 - parallel) + parallel / cores)


def scaled_speedup(parallel: float, cores: float) -> float:
    """Gustafson's law: more work on more cores in the same time."""
    return (1 - parallel) + parallel * cores


def draw_amdahl(data: Mapping[str, Any]) -> Lines:
    """Over the number of cores."""
    marks = [(2.0**n, str(2**n)) for n in range(8)]
    return Lines(series(data), "cores", "times faster", x_marks=marks)


def exchanges(quick: bool = False) -> dict[str, Any]:
    """Handing an item over, and what guards it, on one thread: no one waits yet."""
    lock, old, simple = threading.Lock(), Queue[int](), SimpleQueue[int]()
    ring: deque[int] = deque(maxlen=64)

    def guarded() -> None:
        with lock:
            pass

    def by_queue() -> None:
        old.put(1)
        old.get()

    def by_simple() -> None:
        simple.put(1)
        simple.get()

    def by_ring() -> None:
        ring.append(1)
        ring.popleft()

    found = [
        ("a lock, nobody waits", best_ns(guarded, quick)),
        ("deque", best_ns(by_ring, quick)),
        ("SimpleQueue", best_ns(by_simple, quick)),
        ("Queue", best_ns(by_queue, quick)),
    ]
    return {
        "what": "one item there and back, shorter is better",
        "log": False,
        "rows": found,
        "values": {
            "lock_ns": found[0][1],
            "ring_ns": found[1][1],
            "simple_ns": found[2][1],
            "queue_ns": found[3][1],
            "queue_x": found[3][1] / found[1][1],
        },
    }


def lock_per_item(quick: bool = False) -> dict[str, Any]:
    """Two threads count: a lock for each item, one for a hundred, one at the end."""
    items = 2_000 if quick else 40_000
    found = []
    for name, batch in (("each item", 1), ("100 items", 100), ("the end", items)):
        lock, total = threading.Lock(), [0]

        def work(batch: int = batch, lock: Any = lock, total: list[int] = total) -> None:
            count_in_batches(items, batch, lock, total)

        took_ns = min(together_ns(work, 2) for _ in range(2 if quick else 7))
        found.append((f"a lock for {name}", took_ns / (2 * items)))
    return {
        "what": "to count one item, two threads, shorter is better",
        "log": False,
        "rows": found,
        "values": {
            "each_ns": found[0][1],
            "batch_ns": found[1][1],
            "batch_x": found[0][1] / found[1][1],
        },
    }


def count_in_batches(items: int, batch: int, lock: threading.Lock, total: list[int]) -> None:
    """Count `items` up in `total`, going to the lock once for each `batch` of them."""
    mine = 0
    for i in range(items):
        mine += 1
        if mine == batch or i == items - 1:
            with lock:
                total[0] += mine
            mine = 0


def switches(quick: bool = False) -> dict[str, Any]:
    """Passing control on: a call, a generator, a task of asyncio, a thread, a process."""
    from guide.ceilings.waking import handover

    turns = 200 if quick else 3_000

    def endless() -> Any:
        while True:
            yield

    async def spin() -> None:
        for _ in range(turns):
            await asyncio.sleep(0)

    async def both() -> None:
        await asyncio.gather(spin(), spin())

    def tasks() -> float:
        start_ns = time.perf_counter_ns()
        asyncio.run(both())
        return (time.perf_counter_ns() - start_ns) / (2 * turns)

    step = endless().__next__
    found = [
        ("a call", best_ns(lambda: None, quick)),
        ("a generator's turn", best_ns(step, quick)),
        ("a task of asyncio", min(tasks() for _ in range(3))),
    ]
    woken = {figure.id: figure.value for figure in handover()}
    found += [
        ("waking a thread", woken["wake.thread.p50"]),
        ("waking a process", woken["wake.process.p50"]),
    ]
    by_name = dict(found)
    return {
        "what": "to pass control on, shorter is better",
        "rows": found,
        "values": {
            "task_ns": by_name["a task of asyncio"],
            "thread_ns": by_name["waking a thread"],
            "process_ns": by_name["waking a process"],
            "thread_x": by_name["waking a thread"] / by_name["a task of asyncio"],
        },
    }


def neighbours(quick: bool = False) -> dict[str, Any]:
    """Two threads each count in memory of their own: on one cache line, and far apart.

    They count in pieces, timed by the thread's own processor time. Shown is the piece that nine
    of ten are quicker than: on a busy machine few pieces run while the other thread runs too.
    """
    from ctypes import CFUNCTYPE, c_int64, c_void_p

    import numpy as np

    address, owner = counting_loop()
    call = CFUNCTYPE(None, c_void_p, c_int64)(address)
    cells, turns, pieces = np.zeros(1024, np.int64), 10_000, 5 if quick else 1_500
    start = (cells.ctypes.data + 255) // 256 * 256
    found = []
    for name, apart in (("8 bytes apart", 8), ("64 bytes apart", 64), ("256 bytes apart", 256)):
        times: list[float] = []

        def count(at: int, times: list[float] = times) -> None:
            cpu_ns = time.thread_time_ns
            for _ in range(pieces):
                start_ns = cpu_ns()
                call(at, turns)
                times.append((cpu_ns() - start_ns) / turns)

        places = iter((start, start + apart))

        def one(places: Iterator[int] = places, count: Callable[[int], None] = count) -> None:
            count(next(places))

        together_ns(one, 2)
        found.append((name, sorted(times)[len(times) * 9 // 10]))
    del owner
    return {
        "what": "to add one, two threads at once, shorter is better",
        "log": False,
        "rows": found,
        "values": {
            "near_ns": found[0][1],
            "far_ns": found[-1][1],
            "near_x": found[0][1] / found[-1][1],
        },
    }


def counting_loop() -> tuple[int, object]:
    """An atomic `p[0] += 1`, n times: the loop's address, and what keeps it alive."""
    import llvmlite.binding as llvm

    llvm.initialize_native_target()
    llvm.initialize_native_asmprinter()
    text = """
define void @count(ptr %p, i64 %n) {
entry:
  br label %loop
loop:
  %i = phi i64 [ 0, %entry ], [ %next, %loop ]
  atomicrmw add ptr %p, i64 1 monotonic
  %next = add i64 %i, 1
  %more = icmp ult i64 %next, %n
  br i1 %more, label %loop, label %done
done:
  ret void
}
"""
    machine = llvm.Target.from_default_triple().create_target_machine(opt=2)
    engine = llvm.create_mcjit_compiler(llvm.parse_assembly(text), machine)
    engine.finalize_object()
    return engine.get_function_address("count"), (machine, engine)
