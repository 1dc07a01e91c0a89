"""One kernel five ways, what its answer costs in joules, and the roof over every loop."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from importlib import import_module
from importlib.util import find_spec
from typing import Any

from guide.foundations.figures.stopwatch import best_ns, rows, series
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
