"""The slow projects: each fault can be mended alone, and mending it changes no result."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from benchmarks.explain import slow

each_track = pytest.mark.parametrize("track", slow.TRACKS)


@each_track
def test_each_fault_is_mended_alone_in_one_place(track: str, tmp_path: Path) -> None:
    for number, fix in enumerate(slow.fixes(track)):
        slow.slow_project(track, tmp_path / f"my_{number}", [fix])
        assert len({change.file for change in fix.changes}) == 1, f"{fix.name} is in two places"
        assert sum(change.new.count("\n") for change in fix.changes) <= 30, fix.name


@each_track
def test_each_fault_lies_in_lines_that_are_there(track: str, tmp_path: Path) -> None:
    project = slow.slow_project(track, tmp_path / "my_project")
    for fix in slow.fixes(track):
        found = fix.lines(project)
        assert found, fix.name
        for text in fix.at:
            (file,) = {f for f, n in found if text in (project / f).read_text().splitlines()[n - 1]}
            assert file.endswith(".py")


@each_track
def test_with_all_faults_mended_it_computes_what_it_did(track: str, tmp_path: Path) -> None:
    project = slow.slow_project(track, tmp_path / "my_project", slow.fixes(track))
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "tests/test_output.py"],
        cwd=project,
        env={**os.environ, "PYTHONPATH": os.pathsep.join(sys.path), "OMP_NUM_THREADS": "1"},
        capture_output=True,
        text=True,
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "passed" in done.stdout


@each_track
def test_the_readme_gives_no_fault_away(track: str) -> None:
    readme = (slow.scaffold(track, "slow").folder / "README.md").read_text(encoding="utf-8")
    for fix in slow.fixes(track):
        assert fix.name not in readme
        for change in fix.changes:
            assert change.old.strip() not in readme


def test_a_fix_that_no_longer_fits_says_so(tmp_path: Path) -> None:
    fix = slow.fixes("deep-learning")[0]
    project = slow.slow_project("deep-learning", tmp_path / "my_project", [fix])
    with pytest.raises(ValueError, match="holds 0 times"):
        fix.apply(project)


def guide(*arguments: str, cwd: Path) -> subprocess.CompletedProcess[str]:
    command = [sys.executable, "-m", "guide", *arguments]
    env = {**os.environ, "PYTHONPATH": os.pathsep.join(sys.path)}
    return subprocess.run(command, cwd=cwd, env=env, capture_output=True, text=True)


def test_help_and_the_error_for_an_unknown_template_say_what_there_is(tmp_path: Path) -> None:
    shown = guide("new-project", "--help", cwd=tmp_path).stdout
    wrong = guide("new-project", "vision", "my_cam", "--template", "slwo", cwd=tmp_path)
    assert wrong.returncode == 2
    assert "vision has no template 'slwo'; there are: plain" in wrong.stderr
    assert not list(tmp_path.iterdir())
    for scaffold in (slow.scaffold("vision", name) for name in ("plain", "slow")):
        assert scaffold.title in shown
        assert f"{scaffold.name} ({scaffold.title})" in wrong.stderr


def test_the_template_that_is_named_is_the_one_that_is_made(tmp_path: Path) -> None:
    made = guide("new-project", "deep-learning", "my_net", "--template", "slow", cwd=tmp_path)
    assert made.returncode == 0, made.stderr
    assert made.stdout.endswith("Next: cd my_net && guide run\n")
    assert (tmp_path / "my_net" / "my_net" / "watch.py").is_file()
    plain = guide("new-project", "deep-learning", "my_plain", cwd=tmp_path)
    assert plain.returncode == 0, plain.stderr
    assert not (tmp_path / "my_plain" / "my_plain" / "watch.py").exists()
