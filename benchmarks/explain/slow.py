"""The slow projects: scaffold one, mend its faults one by one, time a tick.

What is wrong with each, and what should stand there, is data: `fixes/TRACK.toml`.
"""

from __future__ import annotations

import json
import os
import statistics
import subprocess
import sys
import tomllib
from dataclasses import dataclass
from pathlib import Path

from guide.plugin import Scaffold
from guide.plugins import Plugins
from guide.scaffold import PLACEHOLDER, new_project

TRACKS = ("deep-learning", "graphics", "vision")
_FIXES = Path(__file__).parent / "fixes"


@dataclass(frozen=True)
class Change:
    """In `file`, `new` takes the place of `old`, which stands there once."""

    file: str
    old: str
    new: str


@dataclass(frozen=True)
class Fix:
    """What mends one fault.

    Attributes:
        name: of the fault.
        changes: what is written instead.
        told: words of which a verdict that names this fault holds one, in lower case.
        at: lines, besides those that are changed, in which its time is spent.
    """

    name: str
    changes: tuple[Change, ...]
    told: tuple[str, ...] = ()
    at: tuple[str, ...] = ()

    def lines(self, project: Path) -> set[tuple[str, int]]:
        """Where it is in `project`: each line's file, from the project's folder, and number."""
        found = set()
        texts: dict[str, list[str]] = {}
        for change in self.changes:
            texts.setdefault(change.file, []).append(change.old)
        for file, olds in texts.items():
            name = file.replace(PLACEHOLDER, project.name)
            lines = (project / name).read_text(encoding="utf-8").splitlines()
            of = {line.strip() for old in olds for line in old.splitlines() if line.strip()}
            found |= {
                (name, n) for n, line in enumerate(lines, 1) if any(text in line for text in of)
            }
        for path in sorted((project / project.name).rglob("*.py")) if self.at else ():
            lines = path.read_text(encoding="utf-8").splitlines()
            found |= {
                (str(path.relative_to(project)), n)
                for n, line in enumerate(lines, 1)
                if any(text in line for text in self.at)
            }
        return found

    def apply(self, project: Path) -> None:
        """Mend it in `project`, whose package is named as its folder.

        Raises:
            ValueError: when what is to be replaced does not stand there once.
        """
        for change in self.changes:
            file = project / change.file.replace(PLACEHOLDER, project.name)
            text = file.read_text(encoding="utf-8")
            if text.count(change.old) != 1:
                raise ValueError(f"{file} holds {text.count(change.old)} times {change.old!r}")
            file.write_text(text.replace(change.old, change.new), encoding="utf-8")


def fixes(track: str) -> list[Fix]:
    """Those of a track's slow project, the order of the file."""
    said = tomllib.loads((_FIXES / f"{track.replace('-', '_')}.toml").read_text(encoding="utf-8"))
    return [
        Fix(
            fix["name"],
            tuple(Change(**c) for c in fix["change"]),
            *(tuple(fix.get(key, ())) for key in ("told", "at")),
        )
        for fix in said["fix"]
    ]


def scaffold(track: str, name: str) -> Scaffold:
    """The template `name` of a track."""
    (found,) = [each for each in Plugins().scaffolds(track) if each.name == name]
    return found


def slow_project(track: str, folder: Path, mended: list[Fix] | None = None) -> Path:
    """A new slow project in `folder`, with some of its faults mended already."""
    project = new_project(scaffold(track, "slow"), folder)
    for fix in mended or []:
        fix.apply(project)
    return project


def tick_ms(project: Path, ticks: int, *arguments: str) -> float:
    """The mean time of a tick in a run of its own, the first ones left out.

    The mean, since what happens at every tenth tick is a cost too.
    """
    command = [sys.executable, "-m", "guide", "run", "--ticks", str(ticks), *arguments]
    path = os.pathsep.join(filter(None, sys.path))
    done = subprocess.run(
        command, cwd=project, env={**os.environ, "PYTHONPATH": path}, capture_output=True, text=True
    )
    if done.returncode:
        raise RuntimeError(f"{project}: {done.stdout}{done.stderr}")
    newest = max(project.glob("runs/*/trace.json"))
    return statistics.fmean(_ticks_ms(newest)[5:])


def _ticks_ms(trace: Path) -> list[float]:
    events = json.loads(trace.read_text(encoding="utf-8"))["traceEvents"]
    return [e["dur"] / 1e3 for e in events if e.get("ph") == "X" and e["name"] == "tick"]
