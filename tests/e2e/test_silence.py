"""A healthy run has nothing to be told: the scaffolds' reports hold no note of any rule."""

import json
import os
import subprocess
import sys
from pathlib import Path

import pytest

from guide.plugins import Plugins, explain
from guide.scaffold import new_project

# Of the machine, whose other programs no scaffold is to blame for
_OF_THE_MACHINE = ("other programs ran", "if other programs were running")


@pytest.mark.parametrize("track", [track.name for track in Plugins().tracks()])
def test_the_rules_have_nothing_to_say_of_a_scaffold(track: str, tmp_path: Path) -> None:
    (scaffold, *_) = Plugins().scaffolds(track)
    project = new_project(scaffold, tmp_path / "healthy")
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(filter(None, sys.path))}
    said = _notes(project, env)
    # How an allocator gives memory back differs between equal runs: what one says is chance
    assert not said or not _notes(project, env), said


def _notes(project: Path, env: dict[str, str]) -> list[str]:
    """What the rules say of the program in one more run; all of it stands in its record, too."""
    command = [sys.executable, "-m", "guide", "run", "--ticks", "60"]
    done = subprocess.run(command, cwd=project, env=env, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr
    record = json.loads(max(project.glob("runs/*/run.json")).read_text())
    said = explain(Plugins(), {**record, "notes": []})
    assert set(said) <= set(record["notes"])
    return [line for line in said if not any(of in line for of in _OF_THE_MACHINE)]
