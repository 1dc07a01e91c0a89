"""Figures of arithmetic: one kernel five ways, the roof, what numbers can hold."""

from __future__ import annotations

import math
from collections.abc import Callable, Mapping
from functools import partial
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from guide.errors import GuideError
from guide.foundations.figures.stopwatch import best_ns, rows, series, statement_ns
from guide.learn.chart import Bars, Lines


def energy_python(mass: list[float], speed: list[float]) -> float:
    """Kinetic energy of some particles: one at a time, each number an object."""
    total = 0.0
    for m, v in zip(mass, speed, strict=True):
        total += 0.5 * m * v * v
    return total


def energy_numpy(mass: Any, speed: Any) -> float:
    """The same for arrays: four passes over memory, each one quick."""
    return float((0.5 * mass * speed * speed).sum())


def energy_kernel(mass: Any, speed: Any) -> float:
    """The same for a compiler: one pass, nothing written on the way."""
    total = 0.0
    for i in range(mass.size):
        total += 0.5 * mass[i] * speed[i] * speed[i]
    return total


def five_ways(quick: bool = False) -> dict[str, Any]:
    """Kinetic energy of a million particles, in as many ways as are installed here."""
    import numpy as np

    count = 20_000 if quick else 1_000_000
    mass, speed = np.linspace(1, 2, count), np.linspace(0, 3, count)
    lists = mass.tolist(), speed.tolist()
    ways: dict[str, Callable[[], object]] = {
        "Python": lambda: energy_python(*lists),
        "numpy": lambda: energy_numpy(mass, speed),
    }
    if find_spec("numba"):
        numba = import_module("numba")
        one = numba.njit(fastmath=True)(energy_kernel)
        ways["numba"] = lambda: one(mass, speed)
        if not quick:
            source = _parallel(numba)
            ways["numba, parallel"] = lambda: source(mass, speed)
    if find_spec("torch") and not quick:
        torch = import_module("torch")
        m, v = (torch.from_numpy(array) for array in (mass, speed))
        ways["torch"] = lambda: float((0.5 * m * v * v).sum())
    found = [(name, best_ns(call, quick, 150_000_000)) for name, call in ways.items()]
    fastest = min(found, key=lambda way: way[1])
    return {
        "rows": found,
        "fastest": fastest[0],
        "values": {
            "python_ns": found[0][1],
            "numpy_ns": found[1][1],
            "fastest_ns": fastest[1],
            "numpy_x": found[0][1] / found[1][1],
            "fastest_x": found[0][1] / fastest[1],
            "particles_count": count,
        },
    }


def _parallel(numba: Any) -> Callable[..., float]:
    """The kernel over all threads: numba finds the reduction where it is told `prange`."""
    prange = numba.prange

    def kernel(mass: Any, speed: Any) -> float:
        total = 0.0
        for i in prange(mass.size):
            total += 0.5 * mass[i] * speed[i] * speed[i]
        return total

    compiled: Callable[..., float] = numba.njit(parallel=True, fastmath=True)(kernel)
    return compiled


def draw_five_ways(data: Mapping[str, Any]) -> Bars:
    """Shorter is better."""
    return Bars(rows(data), "ns", "a million particles, shorter is better", log=True)


def energy(quick: bool = False) -> dict[str, Any]:
    """What the particles cost in joules, in Python and by numpy.

    By RAPL where this machine has it and lets one read it; else bounds from a model, processor
    seconds times the watts of one busy thread, which are said to be that.
    """
    import numpy as np

    from guide.energy import ModelMeter, RaplMeter
    from guide.resources import Unavailable

    count = 2_000 if quick else 300_000
    mass, speed = np.linspace(1, 2, count), np.linspace(0, 3, count)
    lists = mass.tolist(), speed.tolist()
    try:
        meter: RaplMeter | ModelMeter = RaplMeter()
    except Unavailable:
        meter = ModelMeter()
    found, times = [], 30 if quick else 1
    ways: list[tuple[str, Callable[[], float], int]] = [
        ("Python", lambda: energy_python(*lists), 4 * times),
        ("numpy", lambda: energy_numpy(mass, speed), 400 * times),
    ]
    for name, call, repeats in ways:
        meter.start()
        for _ in range(repeats):
            call()
        read = meter.read().readings[0]
        low = read.value if read.low is None else read.low
        high = read.value if read.high is None else read.high
        each = 1000 / repeats
        if low == high:
            found.append((name, low * each))
        else:
            found += [(f"{name}, at least", low * each), (f"{name}, at most", high * each)]
    modelled = isinstance(meter, ModelMeter)
    return {
        "what": "modelled: processor time x watts" if modelled else "measured by RAPL",
        "rows": found,
        "values": {"numpy_x": found[0][1] / found[len(found) // 2][1]},
    }


def draw_energy(data: Mapping[str, Any]) -> Bars:
    """Shorter is better."""
    what = f"{data['what']}, shorter is better"
    return Bars(rows(data), "mj", what, log=True)


def roofline(quick: bool = False) -> dict[str, Any]:
    """How fast a loop can be, by how many operations it does on each byte."""
    from guide.ceilings import cached
    from guide.ceilings import throughput as card

    kept = cached()
    memory = kept.value("triad.all") if kept else None
    peak = kept.value("fma.f64.all") if kept else None
    if quick or not memory or not peak:
        shop = card.Workshop(quick=True)
        found = {f.id: f.value for f in [*card.bandwidth(shop), *card.arithmetic(shop)]}
        memory, peak = found["triad.all"], found["fma.f64.all"]
    xs = sorted([*(2.0 ** (i / 2) for i in range(-8, 17)), peak / memory])
    return {
        "lines": {"": [(x, min(memory * x, peak)) for x in xs]},
        "values": {
            "memory_gbs": memory,
            "peak_gflops": peak,
            "balance_count": float(f"{peak / memory:.2g}"),
        },
    }


def draw_roofline(data: Mapping[str, Any]) -> Lines:
    """Over the operations on a byte."""
    marks = [(4.0**i, str(4**i) if i >= 0 else f"1/{4**-i}") for i in range(-2, 5)]
    label = "operations on each byte from memory"
    return Lines(series(data), label, "GFLOP/s, in double precision", x_marks=marks)


def float_spacing(quick: bool = False) -> dict[str, Any]:
    """How far it is from a number to the next, for each size of float."""
    import numpy as np

    lines = {}
    for name, kind, top in (("f16", np.float16, 4), ("f32", np.float32, 9), ("f64", float, 9)):
        powers = [p / 2 for p in range(-8, 2 * top + 1)]
        lines[name] = [(10.0**p, float(np.spacing(kind(10.0**p)))) for p in powers]
    return {
        "computed": True,
        "lines": lines,
        "values": {
            "day_ns": float(np.spacing(np.float32(86_400))) * 1e9,
            "far_ratio": float(np.spacing(np.float32(1e6))),
            "f16_ratio": float(np.spacing(np.float16(1.0))),
        },
    }


def draw_float_spacing(data: Mapping[str, Any]) -> Lines:
    """Over the number itself."""
    marks = [(10.0**n, f"1e{n}" if abs(n) > 1 else str(10**n)) for n in (-4, -2, 0, 2, 4, 6, 8)]
    return Lines(series(data), "a number", "distance to the next one", x_marks=marks)


def sums(quick: bool = False) -> dict[str, Any]:
    """How wrong a million times 0.1 in single precision is, by the order it is added in."""
    import numpy as np

    count = 10_000 if quick else 1_000_000
    tenths = np.full(count, 0.1, np.float32)
    truth = math.fsum(tenths.tolist())
    results = {
        "one after another": float(np.cumsum(tenths)[-1]),
        "in pairs (numpy)": float(tenths.sum()),
        "in double precision": float(tenths.sum(dtype=np.float64)),
    }
    smallest = 1e-12  # what a bar can show of nothing
    found = [(n, max(abs(v - truth) / truth, smallest)) for n, v in results.items()]
    return {
        "rows": [(name, 1e9 * error) for name, error in found],
        "values": {
            "naive_percent": 100 * found[0][1],
            "pairs_x": found[0][1] / max(found[1][1], smallest),
        },
    }


def draw_sums(data: Mapping[str, Any]) -> Bars:
    """Shorter is better."""
    return Bars(rows(data), "ppb", "relative error, parts in a billion", log=True)


def counting_bits(quick: bool = False) -> dict[str, Any]:
    """How many bits of each of some 64-bit words are set, counted four ways."""
    import numpy as np

    count = 2_000 if quick else 100_000
    words = np.random.default_rng(0).integers(0, 1 << 62, count, dtype=np.uint64)
    # Few enough for the slow ways to be tried often.
    as_ints, table = words[:2_000].tolist(), np.array([i.bit_count() for i in range(256)], np.uint8)
    ways: dict[str, Callable[[], object]] = {
        "bin(x).count('1')": lambda: sum(bin(x).count("1") for x in as_ints),
        "x.bit_count()": lambda: sum(x.bit_count() for x in as_ints),
        "a table of bytes": lambda: int(table[words.view(np.uint8)].sum()),
        "masks and shifts": lambda: int(masked_count(words).sum()),
    }
    if hasattr(np, "bitwise_count"):
        ways["one instruction"] = lambda: int(np.bitwise_count(words).sum())
    counts = [2_000, 2_000, count, count, count]
    found = [
        (name, best_ns(call, quick) / many)
        for (name, call), many in zip(ways.items(), counts, strict=False)
    ]
    return {
        "what": "to count the bits of one word, shorter is better",
        "rows": found,
        "values": {
            "slow_ns": found[0][1],
            "masks_ns": found[3][1],
            "fast_ns": found[-1][1],
            "fast_x": found[0][1] / found[-1][1],
        },
    }


def masked_count(words: Any) -> Any:
    """Set bits of each 64-bit word: pairs first, then fours, then bytes, all at once.

    Source: Warren, Hacker's Delight, section 5-1.
    """
    import numpy as np

    one, two, four, eight = (np.uint64(n) for n in (1, 2, 4, 56))
    x = words - ((words >> one) & np.uint64(0x5555555555555555))
    pairs = np.uint64(0x3333333333333333)
    x = (x & pairs) + ((x >> two) & pairs)
    x = (x + (x >> four)) & np.uint64(0x0F0F0F0F0F0F0F0F)
    return (x * np.uint64(0x0101010101010101)) >> eight  # the last product adds the bytes up


def compression(quick: bool = False) -> dict[str, Any]:
    """Zlib at three levels on the source of this package: how fast, and how small."""
    import zlib
    from pathlib import Path

    files = sorted(Path(__file__).parents[2].glob("*.py"))
    text = b"".join(file.read_bytes() for file in files[: 2 if quick else None])
    found, ratios = [], []
    for level in (1, 6, 9):
        packed = zlib.compress(text, level)
        ns = best_ns(partial(zlib.compress, text, level), quick)
        found.append((f"pack, level {level}", 1000 * len(text) / ns))
        ratios.append(len(text) / len(packed))
    ns = best_ns(lambda: zlib.decompress(packed), quick)
    found.append(("unpack", 1000 * len(text) / ns))
    return {
        "rows": found,
        "values": {
            "quick_x": ratios[0],
            "hard_x": ratios[-1],
            "quick_mbs": found[0][1],
            "hard_mbs": found[2][1],
            "unpack_mbs": found[3][1],
        },
    }


def draw_compression(data: Mapping[str, Any]) -> Bars:
    """Longer is better."""
    return Bars(rows(data), "mbs", "text packed or unpacked a second, longer is better", log=True)


def fusion(quick: bool = False) -> dict[str, Any]:
    """sqrt(max(a b + c, 0)) 2 + a: an operation at a time, in place, in blocks, compiled."""
    import numpy as np

    count = 1 << (14 if quick else 22)
    a, b, c = (np.random.default_rng(i).random(count) for i in range(3))
    out = np.empty(count)
    ways: dict[str, Callable[[], object]] = {
        "eager": lambda: eager(a, b, c),
        "in place": lambda: in_place(a, b, c, out),
        "in blocks": lambda: in_blocks(a, b, c, out),
    }
    if find_spec("numba"):
        fused = import_module("numba").njit(fused_kernel)
        ways["one loop (numba)"] = lambda: fused(a, b, c, out)
    found = [(name, best_ns(call, quick, 150_000_000)) for name, call in ways.items()]
    return {
        "what": "4 million elements, shorter is better",
        "log": False,
        "rows": found,
        "values": {
            "eager_ns": found[0][1],
            "blocks_x": found[0][1] / found[2][1],
            "fused_x": found[0][1] / found[-1][1],
        },
    }


def eager(a: Any, b: Any, c: Any) -> Any:
    """An operation at a time, as it is written: each makes a new array and forgets it."""
    import numpy as np

    return np.sqrt(np.maximum(a * b + c, 0)) * 2 + a


def in_place(a: Any, b: Any, c: Any, out: Any) -> Any:
    """The same, into memory that is there."""
    import numpy as np

    np.multiply(a, b, out=out)
    np.add(out, c, out=out)
    np.maximum(out, 0, out=out)
    np.sqrt(out, out=out)
    np.multiply(out, 2, out=out)
    return np.add(out, a, out=out)


def in_blocks(a: Any, b: Any, c: Any, out: Any, size: int = 65_536) -> Any:
    """The same, a block at a time, so that what one operation wrote the next finds in cache."""
    for i in range(0, len(out), size):
        j = i + size
        in_place(a[i:j], b[i:j], c[i:j], out[i:j])
    return out


def fused_kernel(a: Any, b: Any, c: Any, out: Any) -> Any:
    """The same for a compiler: each element is read once and written once."""
    for i in range(out.size):
        out[i] = math.sqrt(max(a[i] * b[i] + c[i], 0.0)) * 2 + a[i]
    return out


def compiling(quick: bool = False) -> dict[str, Any]:
    """A function's first call under numba, its next ones, and what a promise is worth."""
    import numpy as np

    if not find_spec("numba"):
        raise GuideError("not measured: numba is not installed", "pip install numba")
    import time

    numba = import_module("numba")
    x = np.random.default_rng(0).random(2_000 if quick else 100_000)
    strict, loose = numba.njit(energy_kernel), numba.njit(fastmath=True)(energy_kernel)
    start_ns = time.perf_counter_ns()
    strict(x, x)
    first_ns = float(time.perf_counter_ns() - start_ns)
    ways = (("strict", strict), ("order is free", loose))
    found = [(name, best_ns(partial(f, x, x), quick)) for name, f in ways]
    call_ns = best_ns(lambda: loose(x[:1], x[:1]), quick)
    return {
        "what": "shorter is better",
        "rows": [("first call", first_ns), *found, ("on one element", call_ns)],
        "values": {
            "first_ns": first_ns,
            "strict_ns": found[0][1],
            "loose_ns": found[1][1],
            "loose_x": found[0][1] / found[1][1],
            "call_ns": call_ns,
        },
    }


def compact(values: Any, out: Any) -> int:
    """Keep what is 128 or more: a branch that the processor must guess for each value."""
    count = 0
    for i in range(values.size):
        if values[i] >= 128:
            out[count] = values[i]
            count += 1
    return count


def compact_branchless(values: Any, out: Any) -> int:
    """The same without a guess: always write, and step on by nothing or by one."""
    count = 0
    for i in range(values.size):
        out[count] = values[i]
        count += values[i] >= 128
    return count


def branches(quick: bool = False) -> dict[str, Any]:
    """The two above, over the share of values that are kept, in random order."""
    import numpy as np

    if not find_spec("numba"):
        raise GuideError("not measured: numba is not installed", "pip install numba")
    numba = import_module("numba")
    guess, step = numba.njit(compact), numba.njit(compact_branchless)
    random, count = np.random.default_rng(0), 1 << (12 if quick else 16)
    out = np.empty(count + 1, np.uint8)
    lines: dict[str, list[tuple[float, float]]] = {"branch": [], "no branch": []}
    for percent in (0, 5, 10, 20, 35, 50, 65, 80, 90, 95, 100):
        kept = random.random(count) < percent / 100
        values = np.where(kept, 200, 50).astype(np.uint8)
        for name, kernel in (("branch", guess), ("no branch", step)):
            ns = best_ns(partial(kernel, values, out), quick, 40_000_000)
            lines[name].append((percent, ns / count))
    known, doubtful = lines["branch"][0][1], lines["branch"][5][1]
    return {
        "lines": lines,
        "values": {
            "known_ns": known,
            "doubtful_ns": doubtful,
            "none_ns": lines["no branch"][5][1],
            "branchless_x": doubtful / lines["no branch"][5][1],
        },
    }


def draw_branches(data: Mapping[str, Any]) -> Lines:
    """Over the share that is kept."""
    marks = [(float(p), f"{p} %") for p in (0, 25, 50, 75, 100)]
    return Lines(series(data), "values that are kept", "ns a value", log="", x_marks=marks)


def integers(quick: bool = False) -> dict[str, Any]:
    """The sum of an array's elements by their size, and Python's own."""
    import numpy as np

    count = 1 << (12 if quick else 20)
    found = []
    for name in ("uint8", "int16", "int32", "int64"):
        array = np.ones(count, name)
        ns = best_ns(partial(np.add, array, 3, out=array), quick)
        found.append((name, ns / count * 1000))
    ns = statement_ns("x + 3", "x = 1000", quick)
    found.append(("Python int", ns * 1000))
    return {
        "rows": found,
        "values": {"byte_x": found[3][1] / found[0][1], "python_x": found[4][1] / found[0][1]},
    }


def draw_integers(data: Mapping[str, Any]) -> Bars:
    """Shorter is better."""
    what = "x + 3 for a thousand of them, shorter is better"
    return Bars(rows(data), "ns", what, log=True)
