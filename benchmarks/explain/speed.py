"""What reading a trace costs: time, memory, and how long it takes `guide explain` to begin."""

from __future__ import annotations

import json
import statistics
import subprocess
import sys
import tempfile
import time
from collections.abc import Iterator
from pathlib import Path
from typing import Any

from benchmarks.apart import run
from benchmarks.explain import bulk
from benchmarks.rows import Row, paired
from guide.cli import COMMANDS

EVENTS = 130_000
STEPS = 6
BARE = [sys.executable, "-c", "pass"]


def rows(quick: bool) -> Iterator[Row]:
    """A trace of 130,000 events, one of some hundred MB, and a small one from the command line."""
    with tempfile.TemporaryDirectory() as temporary:
        folder = Path(temporary)
        yield from _reading(folder, 2 if quick else 7)
        yield _large(folder, 180_000_000 if quick else 600_000_000)
        yield _start(folder, 5 if quick else 21)


def _reading(folder: Path, rounds: int) -> Iterator[Row]:
    file = folder / "trace.json"
    with file.open("w") as out:
        bulk.write(out, STEPS, EVENTS // STEPS // bulk.PER_OPERATOR)
    pairs: list[tuple[dict[str, Any], dict[str, Any]]] = []
    for _ in range(rounds):
        ours, peer = (run(f"explain.speed:{who}", file=str(file)) for who in ("read", "load"))
        pairs.append((ours, peer))
    seconds, plain, ratio, spread = paired(
        [a["seconds"] for a, _ in pairs], [b["seconds"] for _, b in pairs]
    )
    size = file.stat().st_size / 1e6
    yield Row(
        f"reading {pairs[0][0]['events']:,} events ({size:.0f} MB) into columns, steps, parents",
        f"{seconds:.2f} s",
        f"json.load alone {plain:.2f} s",
        ratio,
        "< 3 s",
        seconds < 3,
        spread,
    )
    ours_mb, peer_mb = (statistics.median(p[i]["peak_mb"] for p in pairs) for i in (0, 1))
    yield Row(
        "peak memory of the whole process for it",
        f"{ours_mb:.0f} MB",
        f"json.load alone {peer_mb:.0f} MB",
        ours_mb / peer_mb,
        "< 300 MB",
        ours_mb < 300,
    )


def _large(folder: Path, size: int) -> Row:
    file = folder / "large.json"
    step = len(bulk.text(2, 1000)) - len(bulk.text(1, 1000))
    with file.open("w") as out:
        bulk.write(out, size // step, 1000)
    found = run("explain.speed:read", file=str(file))
    actual = file.stat().st_size / 1e6
    file.unlink()
    return Row(
        f"peak memory for a file of {actual:.0f} MB, {found['steps']} steps of it kept",
        f"{found['peak_mb']:.0f} MB",
        "-",
        None,
        "< 300 MB",
        found["peak_mb"] < 300,
        f"{actual / found['seconds']:.0f} MB/s, gone over twice",
    )


def _start(folder: Path, rounds: int) -> Row:
    file = folder / "small.json"
    file.write_text(bulk.text(4, 20))
    commands = {name for group in COMMANDS.values() for name in group}
    code = f"from guide.explain.reading import read_trace; read_trace({str(file)!r})"
    name, command = "reading a small trace, from nothing", [sys.executable, "-c", code]
    if "explain" in commands:
        name = "`guide explain` of a small trace, the whole command"
        command = [sys.executable, "-m", "guide", "explain", str(file)]
    bare, whole = [], []
    for _ in range(rounds):
        bare.append(_seconds(BARE, folder))
        whole.append(_seconds(command, folder))
    seconds, plain, ratio, spread = paired(whole, bare)
    command.insert(1, "-X")
    command.insert(2, "importtime")
    done = subprocess.run(command, cwd=folder, capture_output=True, text=True, check=False)
    modules = {line.rpartition("|")[2].strip() for line in done.stderr.splitlines()}
    heavy = sorted({"torch", "cv2", "numba", "moderngl", "scipy"} & modules)
    return Row(
        name,
        f"{seconds * 1e3:.0f} ms",
        f"bare Python {plain * 1e3:.0f} ms",
        ratio,
        "< 300 ms, no torch",
        seconds < 0.3 and not heavy,
        f"{spread}; imports {', '.join(heavy) or 'nothing heavy'}",
    )


def _seconds(command: list[str], folder: Path) -> float:
    before = time.perf_counter()
    subprocess.run(command, cwd=folder, capture_output=True, check=True)
    return time.perf_counter() - before


def read(file: str) -> dict[str, Any]:
    """Read a trace, and what every rule asks of it."""
    from guide.explain.reading import read_trace

    before = time.perf_counter()
    trace = read_trace(Path(file))
    trace.in_steps.sum() + trace.self_ns.sum()
    seconds = time.perf_counter() - before
    found = {"events": len(trace.events), "steps": len(trace.steps)}
    return {**found, "seconds": seconds, "peak_mb": _peak_mb()}


def load(file: str) -> dict[str, Any]:
    """What anybody would begin with."""
    before = time.perf_counter()
    with Path(file).open(encoding="utf-8") as source:
        events = len(json.load(source)["traceEvents"])
    return {"events": events, "seconds": time.perf_counter() - before, "peak_mb": _peak_mb()}


def _peak_mb() -> float:
    """The most memory this process had; that of the one it was forked from does not count."""
    try:
        lines = Path("/proc/self/status").read_text().splitlines()
    except OSError:
        import resource

        return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss / 1e6
    return next(int(line.split()[1]) for line in lines if line.startswith("VmHWM")) / 1e3
