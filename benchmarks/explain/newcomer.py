"""The newcomer's path: a slow project, mended fault by fault, as `guide explain` leads.

At each turn the project is run and explained, and the fault that the first verdict names is mended.
Where it names none that is left, the first one further down does; where none does, the first of the
lines that the answer lists and that lies in a fault; where none does, the next in the order of the
file, and that is a miss. What the verdict promised is held against what a tick took
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
    """One fault mended.

    Attributes:
        rank: the verdict that named it, 0: none did.
        line: the line, of those that the answer lists, that pointed at it; 0: none did.
    """

    track: str
    fault: str
    rank: int
    line: int
    title: str
    before_ms: float
    after_ms: float
    predicted_ms: float


def named(
    verdict: dict[str, Any], left: Sequence[slow.Fix], project: Path | None = None
) -> slow.Fix | None:
    """Which of the faults that are left a verdict speaks of: by its words, or by its first line."""
    places = " ".join(f"{at['file']} {at['text']}" for at in verdict["where"])
    words = f"{verdict['title']} {verdict['says']} {places}".lower()
    for fix in left:
        if any(word in words for word in fix.told):
            return fix
    first = verdict["where"][:1]
    return pointed(first[0], left, project) if project and first else None


def pointed(line: dict[str, Any], left: Sequence[slow.Fix], project: Path) -> slow.Fix | None:
    """Which of the faults that are left a line lies in."""
    place = line["file"], line["line"]
    return next((fix for fix in left if place in fix.lines(project)), None)


def turns(track: str, ticks: int) -> Iterator[Turn]:
    """Mend one after the other, until none is left."""
    left = slow.fixes(track)
    with tempfile.TemporaryDirectory() as folder:
        project = slow.slow_project(track, Path(folder) / "my_project")
        before_ms = slow.tick_ms(project, ticks, *_ARGUMENTS.get(track, ()))
        while left:
            answer = explained(project, track, ticks, left)
            verdicts, lines = answer["verdicts"], answer["lines"]
            found = [(n, v, named(v, left, project)) for n, v in enumerate(verdicts, 1)]
            rank, verdict, fix = next((each for each in found if each[2]), (0, {}, None))
            listed = [(n, pointed(line, left, project)) for n, line in enumerate(lines, 1)]
            if fix is None:
                fix = next((of for _, of in listed if of), left[0])
            at = next((n for n, of in listed if of is fix), 0)
            fix.apply(project)
            left.remove(fix)
            after_ms = slow.tick_ms(project, ticks, *_ARGUMENTS.get(track, ()))
            top = verdicts[0]["title"] if verdicts else "healthy"
            yield Turn(
                track, fix.name, rank, at, verdict.get("title", top), before_ms, after_ms,
                verdict.get("recoverable_ns", 0) / 1e6,
            )  # fmt: skip
            before_ms = after_ms


def at_once(track: str, ticks: int) -> tuple[set[str], set[str]]:
    """Of the project as it comes: the faults that a verdict names, those a listed line lies in."""
    faults = slow.fixes(track)
    with tempfile.TemporaryDirectory() as folder:
        project = slow.slow_project(track, Path(folder) / "my_project")
        answer = explained(project, track, ticks, faults)
        told = (named(verdict, faults, project) for verdict in answer["verdicts"])
        listed = (pointed(line, faults, project) for line in answer["lines"])
        return {fix.name for fix in told if fix}, {fix.name for fix in listed if fix}


def explained(project: Path, track: str, ticks: int, left: Sequence[slow.Fix]) -> dict[str, Any]:
    """What is said of a profiled run; of a plain one, where torch's trace names nothing.

    A trace of torch's is of five steps: what happens at every tenth is for the run to tell.
    """
    if track != "deep-learning":
        return _answer(project, "profile", ".", *_ARGUMENTS.get(track, ()))
    answer = _answer(project, "profile", ".", "--steps", "5")
    if not any(named(verdict, left, project) for verdict in answer["verdicts"]):
        answer = _answer(project, "run", "--ticks", str(ticks))
    return answer


def _answer(project: Path, *arguments: str) -> dict[str, Any]:
    _guide(project, *arguments)
    said: dict[str, Any] = json.loads(_guide(project, "explain", "--json"))
    told = [v for v in said["verdicts"] if not any(words in v["title"] for words in _MACHINE)]
    return {**said, "verdicts": told}


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
        told, listed = at_once(track, 30 if quick else 100)
        yield Row(
            f"{track}, as it comes: {len(told)} faults named by a verdict, {len(listed)} pointed "
            f"at by a line, {len(told | listed)} by either",
            f"verdicts: {', '.join(sorted(told)) or 'none'}",
            f"lines: {', '.join(sorted(listed)) or 'none'}",
            None,
            "at least one of each where a track samples",
            bool(told) and (bool(listed) or track == "deep-learning"),
        )
        for turn in turns(track, 30 if quick else 100):
            made.append(turn)
            gain_ms = turn.before_ms - turn.after_ms
            by = f"by {turn.rank}: {turn.title}" if turn.rank else f"not named ({turn.title})"
            yield Row(
                f"{track}: {turn.fault}, {by}{line_of(turn)}",
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
            f"{sum(turn.rank > 0 for turn in made)} named by a verdict, "
            f"{sum(turn.line > 0 for turn in made)} pointed at by a line, "
            f"{sum(not (turn.rank or turn.line) for turn in made)} by neither; all mended",
            f"{made[-1].after_ms:.2f} ms, was {made[0].before_ms:.1f}",
            f"{plain_ms:.2f} ms, the scaffold",
            made[-1].after_ms / plain_ms,
            "at most 1.5: it does a little more",
            made[-1].after_ms <= 1.5 * plain_ms,
        )


def line_of(turn: Turn) -> str:
    """Which of the listed lines pointed at a fault, in words."""
    return f", line {turn.line} of those listed" if turn.line else ""


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
