"""The newcomer's path: a slow project, mended fault by fault, as `guide explain` leads.

At each turn the project is run and explained, and the fault that the first verdict names is mended.
Where it names none that is left, the first one further down does; where none does, the next in the
order of the file, and that is a miss. What the verdict promised is held against what a tick took
before and after.

    python -m benchmarks.explain.newcomer [TRACK ...]
"""

from __future__ import annotations

import json
import os
import subprocess
import sys
import tempfile
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

from benchmarks.explain import slow
from benchmarks.rows import Row, line
from guide.scaffold import copy_package

_ARGUMENTS = {"graphics": ("--set", "window=no")}
_MACHINE = ("other programs",)  # true of the machine it is measured on, and not of the program


@dataclass(frozen=True)
class Turn:
    """One fault mended; `rank` is the verdict that named it, 0: none did."""

    track: str
    fault: str
    rank: int
    title: str
    before_ms: float
    after_ms: float
    predicted_ms: float


def named(verdict: dict[str, Any], left: Sequence[slow.Fix]) -> slow.Fix | None:
    """Which of the faults that are left a verdict speaks of."""
    places = " ".join(f"{at['file']} {at['text']}" for at in verdict["where"])
    words = f"{verdict['title']} {verdict['says']} {places}".lower()
    for fix in left:
        if any(word in words for word in fix.told):
            return fix
    return None


def turns(track: str, ticks: int) -> Iterator[Turn]:
    """Mend one after the other, until none is left."""
    left = slow.fixes(track)
    with tempfile.TemporaryDirectory() as folder:
        project = slow.slow_project(track, Path(folder) / "my_project")
        before_ms = slow.tick_ms(project, ticks, *_ARGUMENTS.get(track, ()))
        while left:
            verdicts = explained(project, track, ticks, left)
            found = [(n, v, named(v, left)) for n, v in enumerate(verdicts, 1)]
            rank, verdict, fix = next((each for each in found if each[2]), (0, {}, left[0]))
            assert fix is not None
            fix.apply(project)
            left.remove(fix)
            after_ms = slow.tick_ms(project, ticks, *_ARGUMENTS.get(track, ()))
            top = verdicts[0]["title"] if verdicts else "healthy"
            yield Turn(
                track, fix.name, rank, verdict.get("title", top), before_ms, after_ms,
                verdict.get("recoverable_ns", 0) / 1e6,
            )  # fmt: skip
            before_ms = after_ms


def explained(
    project: Path, track: str, ticks: int, left: Sequence[slow.Fix]
) -> list[dict[str, Any]]:
    """The verdicts on a trace, where the track can take one; on a run, where that names nothing.

    A trace is of five steps: what happens at every tenth is for the run to tell.
    """
    verdicts: list[dict[str, Any]] = []
    if track == "deep-learning":
        verdicts = _verdicts(project, "profile", ".", "--steps", "5")
    if not any(named(verdict, left) for verdict in verdicts):
        verdicts = _verdicts(project, "run", "--ticks", str(ticks), *_ARGUMENTS.get(track, ()))
    return verdicts


def _verdicts(project: Path, *arguments: str) -> list[dict[str, Any]]:
    _guide(project, *arguments)
    said = json.loads(_guide(project, "explain", "--json"))["verdicts"]
    return [v for v in said if not any(words in v["title"] for words in _MACHINE)]


def scaffold_ms(track: str, ticks: int) -> float:
    """What a tick of the plain scaffold takes, with the options of the slow one."""
    fast = slow.scaffold(track, "plain")
    options = slow.scaffold(track, "slow").folder / "pyproject.toml"
    with tempfile.TemporaryDirectory() as folder:
        project = copy_package(fast.layers, Path(folder) / "guide_project", {})
        (project / "pyproject.toml").write_bytes(options.read_bytes())
        return slow.tick_ms(project, ticks, *_ARGUMENTS.get(track, ()))


def rows(quick: bool, tracks: Sequence[str] = slow.TRACKS) -> Iterator[Row]:
    """A row for each fault, and one for each track."""
    for track in tracks:
        made = []
        for turn in turns(track, 30 if quick else 100):
            made.append(turn)
            gain_ms = turn.before_ms - turn.after_ms
            by = f"by {turn.rank}: {turn.title}" if turn.rank else f"not named ({turn.title})"
            yield Row(
                f"{track}: {turn.fault}, {by}",
                f"{gain_ms:.2f} ms of {turn.before_ms:.1f}",
                f"{turn.predicted_ms:.2f} ms foretold" if turn.rank else "",
                turn.predicted_ms / gain_ms if turn.rank and gain_ms > 0 else None,
                "named first; foretold within 25 %",
                turn.rank == 1,
            )
        plain_ms = scaffold_ms(track, 30 if quick else 100)
        first = sum(turn.rank == 1 for turn in made)
        yield Row(
            f"{track}: {first} of {len(made)} named first, "
            f"{sum(turn.rank > 0 for turn in made)} named; all mended",
            f"{made[-1].after_ms:.2f} ms, was {made[0].before_ms:.1f}",
            f"{plain_ms:.2f} ms, the scaffold",
            made[-1].after_ms / plain_ms,
            "at most 1.5: it does a little more",
            made[-1].after_ms <= 1.5 * plain_ms,
        )


def _guide(project: Path, *arguments: str) -> str:
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path)), "NO_COLOR": "1"}
    done = subprocess.run(
        [sys.executable, "-m", "guide", *arguments],
        cwd=project, env=env, capture_output=True, text=True,
    )  # fmt: skip
    if done.returncode:
        raise RuntimeError(f"guide {' '.join(arguments)}: {done.stdout}{done.stderr}")
    return done.stdout


if __name__ == "__main__":
    asked = [name for name in sys.argv[1:] if not name.startswith("-")]
    for row in rows("--quick" in sys.argv, asked or slow.TRACKS):
        print(line(row), flush=True)
