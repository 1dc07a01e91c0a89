"""Every finished project passes its own tests, run as its author runs them."""

import subprocess
import sys
from pathlib import Path

import pytest

PROJECTS = sorted(
    file.parent for file in (Path(__file__).parents[2] / "projects").glob("*/pyproject.toml")
)


@pytest.mark.parametrize("project", PROJECTS, ids=lambda folder: folder.name)
def test_a_finished_project_passes_its_own_tests(project):
    done = subprocess.run(
        [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider"],
        cwd=project,
        capture_output=True,
        text=True,
        timeout=300,
    )
    assert done.returncode == 0, done.stdout[-3000:] + done.stderr[-1000:]


def test_a_finished_project_has_its_report_and_its_log_book():
    assert PROJECTS
    for project in PROJECTS:
        assert "## Run " in (project / "LOG.md").read_text(), project
        assert (project / "report.html").stat().st_size < 1_000_000, project
