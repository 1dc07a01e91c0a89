"""`guide` alone: where you are, and what to type next."""

from __future__ import annotations

from pathlib import Path

import click

from guide.project import find_project, read_project


def home() -> None:
    """Print it."""
    folder = find_project(Path.cwd())
    if folder is None:
        click.echo("You are not in a project.\n")
        _next(
            ("guide tracks", "see which tracks are installed"),
            ("guide new-project", "start a real-time project from one"),
            ("guide contents", "see what there is to read"),
            ("guide --help", "see every command"),
        )
        return
    project = read_project(folder)
    # Not record.latest_run: what that imports would make this, the most typed command, slower.
    runs = sorted(file.parent for file in project.runs.glob("*/run.json"))
    count = f"{len(runs)} run{'s' if len(runs) != 1 else ''}" if runs else "not run yet"
    click.echo(f"You are in {project.name}, a {project.track} project ({count}).\n")
    if runs:
        _next(
            ("guide run", "run it again"),
            ("guide report", f"see how the last run went ({runs[-1].name})"),
            ("python -m pytest", "run its tests"),
        )
    else:
        _next(("guide run", "run it"), ("python -m pytest", "run its tests"))


def _next(*commands: tuple[str, str]) -> None:
    click.echo("Next:")
    for command, why in commands:
        click.echo(f"  {click.style(f'{command:18}', fg='cyan')} {why}")
