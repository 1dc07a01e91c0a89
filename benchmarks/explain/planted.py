"""Faults planted on the CPU, each against the same program without it.

Each program of `programs/` is run twice: with `--fault` and without. It is profiled as a stranger's
would be, and explained. The fault has to be named, and nothing on the twin; what the verdict
promises is held against what taking the fault out gives, both programs unprofiled, in turn.
"""

from __future__ import annotations

import importlib.util
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path

from benchmarks.rows import Row, paired
from guide.explain.reading import read_trace
from guide.explain.trace import Trace
from guide.plugin import Verdict
from guide.plugins import Plugins, Sentence, verdicts

PROGRAMS = Path(__file__).parent / "programs"
WORTH = 0.03  # of a step: what is less is not said to be worth mending
NEAR = 0.25  # by how much a prediction may be off


@dataclass(frozen=True, slots=True)
class Planted:
    """A fault: the program that has it, what it is called, and the line it is in."""

    program: str
    title: str
    line: str = ""


PLANTED = (
    Planted("optimizer", "an optimizer that loops", "torch.optim.AdamW("),
    Planted("item", "values read one by one", "each.item()"),
    Planted("mask", "a boolean mask as an index", "error[mask]"),
    Planted("anomaly", "anomaly detection left on", "set_detect_anomaly"),
    Planted("recompiling", "compiling again and again"),
    Planted("sleeping", "waiting for data", "time.sleep("),
    Planted("decoding", "waiting for data", "for byte in raw"),
    Planted("threads", "more threads than cores"),
)


def profiled(program: str, folder: Path, *options: str, name: str = "torch") -> Trace:
    """A trace of a program of `programs/`, taken as `guide profile` takes it."""
    out = folder / f"{name}.json.gz"
    command = [sys.executable, "-m", "guide_deep_learning.explain.profiling", "--out", str(out)]
    command += ["--", str(PROGRAMS / f"{program}.py"), *options]
    subprocess.run(command, check=True, capture_output=True, timeout=300)
    return read_trace(out)


def worth_mending(trace: Trace, plugins: Plugins) -> list[Verdict]:
    """What the rules find in a trace that gives something back, most first."""
    found = [
        verdict
        for verdict in verdicts(plugins, "trace", trace)
        if not isinstance(verdict, Sentence)
        if verdict.recoverable_ns >= WORTH * trace.unwatched_ns
    ]
    return sorted(found, key=lambda verdict: -verdict.recoverable_ns)


def alarms(found: list[Verdict], fault: Planted) -> list[str]:
    """What is said of a sound program that is wrong: its twin's fault, or anything that is sure."""
    return [v.title for v in found if v.title == fault.title or v.sure != "perhaps"]


def rows(quick: bool = False) -> Iterator[Row]:
    """A row for each fault: named or not, on the twin or not, promised against given."""
    rounds = 2 if quick else 7
    plugins, good, wanted = Plugins(), 0, 0
    for fault in PLANTED:
        if fault.program == "recompiling" and importlib.util.find_spec("torch._dynamo") is None:
            yield Row("planted: recompiling", "this torch has no compiler", "-", None, "-", None)
            continue
        wanted += 1
        row = _row(fault, rounds, plugins)
        good += bool(row.ok)
        yield row
    yield Row("planted faults, all of it right", f"{good} of {wanted}", "", None, "all", None)


def _row(fault: Planted, rounds: int, plugins: Plugins) -> Row:
    with tempfile.TemporaryDirectory() as folder:
        trace = profiled(fault.program, Path(folder), "--fault")
        ill = worth_mending(trace, plugins)
        sound = worth_mending(profiled(fault.program, Path(folder)), plugins)
    times: tuple[list[float], list[float]] = ([], [])
    for _ in range(rounds):
        for options, took in zip((("--fault",), ()), times, strict=True):
            took.append(timed_ns(fault.program, *options))
    with_ns, without_ns, ratio, spread = paired(*times)
    gives = 1 - 1 / ratio
    named = next((v for v in ill if v.title == fault.title), None)
    promised = 0.0 if named is None else named.recoverable_ns / trace.unwatched_ns
    false = alarms(sound, fault)
    first = ill[0].title if ill else "nothing"
    at_line = named is not None and (
        not fault.line or any(fault.line in place.text for place in named.where)
    )
    ok = first == fault.title and not false and at_line and abs(promised / gives - 1) <= NEAR
    wrong = [f"named {first}"] * (first != fault.title) + ["not the line"] * (not at_line)
    wrong += [f"of the twin: {title}" for title in false]
    return Row(
        f"planted: {fault.program} ({without_ns / 1e6:.3g} ms without, {with_ns / 1e6:.3g} with)",
        f"{promised:.0%} of a step promised",
        f"{gives:.0%} given",
        promised / gives,
        "named, twin sound, 0.75 to 1.25",
        ok,
        "; ".join(wrong) or f"times {spread}",
    )


def timed_ns(program: str, *options: str) -> float:
    """How long a step of a program of `programs/` takes, unprofiled, in a process of its own."""
    command = [sys.executable, "-m", "benchmarks.explain.timed"]
    command += [str(PROGRAMS / f"{program}.py"), *options]
    done = subprocess.run(command, check=True, capture_output=True, text=True, timeout=300)
    return float(done.stdout.split()[-1])
