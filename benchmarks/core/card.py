"""The roofs of the machine card against likwid-bench, kernels written in assembly (Debian: likwid).

Both run in turn, both as the mean of some 50 ms, both in each vector width the processor has, of
which the faster counts; likwid too gets huge pages from glibc, as numpy asks for them. Bandwidth
counts the bytes that a program asks for, 24 an element: what an ordinary store reads first is
traffic but nobody's data, and likwid does not count it either.

A roof that lies above likwid's is as good as one beside it: somebody has stood on it.
"""

from __future__ import annotations

import os
import re
import shutil
import statistics
import subprocess
from collections.abc import Callable, Iterator
from functools import partial
from itertools import product

from benchmarks.rows import Row, interleaved
from guide.ceilings.throughput import Workshop
from guide.units import number

ROUNDS = 7
GOAL = "at least 0.95 of likwid's best"
_NAMES = {16: "sse", 32: "avx", 64: "avx512"}  # likwid's, by the width of a vector


def rows() -> Iterator[Row]:
    """Bandwidth with both kinds of stores and multiply-adds, on one thread and on all."""
    tool = shutil.which("likwid-bench")
    if tool is None:
        yield Row("roofs", "", "likwid-bench: apt install likwid", None, GOAL, None)
        return
    shop = Workshop()
    available = subprocess.run([tool, "-a"], capture_output=True, text=True).stdout
    for threads in sorted({1, shop.threads}):
        who = "1 thread" if threads == 1 else f"{threads} threads"
        for past, stem, name in (
            ("", "stream", "ordinary stores"),
            ("_nt", "stream_mem", "stores past the caches"),
        ):
            yield _row(
                f"triad, {name}, {who}",
                "GB/s",
                [partial(_triad, shop, w, past, threads) for w in shop.kernels.widths],
                _peers(available, stem, shop.kernels.widths, f"192MB:{threads}", 10),
            )
        for kind, stem in (("f32", "peakflops_sp"), ("f64", "peakflops")):
            yield _row(
                f"multiply-adds, {kind}, {who}",
                "GFLOP/s",
                [partial(_fma, shop, w, kind, threads) for w in shop.kernels.widths],
                _peers(available, stem, shop.kernels.widths, f"{20 * threads}kB:{threads}", 50_000),
            )


def _row(
    figure: str, unit: str, ours: list[Callable[[], float]], peers: list[Callable[[], float]]
) -> Row:
    if not peers:
        return Row(figure, "", "likwid-bench has no such kernel", None, GOAL, None)
    a, b, ratio, spread = interleaved(
        lambda: max(run() for run in ours), lambda: max(run() for run in peers), ROUNDS
    )
    texts = (f"{number(value)} {unit}" for value in (a, b))
    return Row(figure, *texts, ratio, GOAL, ratio >= 0.95, spread)


def _triad(shop: Workshop, width: int, past: str, threads: int) -> float:
    a, b, c = (shop.start + i * shop.size for i in range(3))
    kernel, part = shop.kernels[f"triad_{width}{past}"], shop.part

    def call(i: int) -> None:
        kernel(a + i * part, b + i * part, c + i * part, part // width)

    return 3 * part * statistics.mean(shop.rates(call, threads).each)


def _fma(shop: Workshop, width: int, kind: str, threads: int) -> float:
    kernel, turns = shop.kernels[f"fma_{kind}_{width}"], 1 << 19
    rates = shop.rates(lambda i: kernel(shop.start + 4096 * i, turns), threads)
    return 2 * 10 * turns * 8 * width / int(kind[1:]) * statistics.mean(rates.each)


def _peers(
    available: str, stem: str, widths: list[int], work: str, turns: int
) -> list[Callable[[], float]]:
    """Its kernel of that stem in each width, fused where there is one that is."""
    found = {}
    for width, fused in product(widths, ("", "_fma")):
        name = f"{stem}_{_NAMES[width]}{fused}"
        if re.search(rf"^{name} ", available, re.MULTILINE):
            found[width] = partial(_likwid, name, work, turns)
    return list(found.values())


def _likwid(name: str, work: str, turns: int) -> float:
    command = ["likwid-bench", "-t", name, "-w", f"S0:{work}", "-i", str(turns)]
    environment = {**os.environ, "GLIBC_TUNABLES": "glibc.malloc.hugetlb=1"}
    said = subprocess.run(command, capture_output=True, text=True, env=environment).stdout
    unit = "MByte/s" if name.startswith("stream") else "MFlops/s"
    found = re.search(rf"{unit}:\s+([\d.]+)", said)
    return float(found[1]) / 1000 if found else 0.0
