"""`guide exercises`, `guide start` and `guide check`."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import click

from guide.cli.shared import EXERCISE, TRACK, chosen_track
from guide.errors import UsageError
from guide.learn import exercises as learn
from guide.learn.contents import all_exercises, find_exercise, read_page
from guide.plugins import Plugins


@click.command("exercises")
@click.argument("track", required=False, type=TRACK)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def exercises(track: str | None, as_json: bool) -> None:
    """List the exercises: those TRACK is expected or invited to do.

    Without TRACK, those of the project's track inside a project, and all elsewhere.
    """
    plugins = Plugins()
    found = all_exercises(plugins, chosen_track(track, plugins))
    if as_json:
        rows = [
            {"id": e.id, "title": e.title, "expected": e.expected, "invited": e.invited}
            for e in found
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    for exercise in found:
        of = [f"expected: {', '.join(exercise.expected)}"] if exercise.expected else []
        of += [f"invited: {', '.join(exercise.invited)}"] if exercise.invited else []
        click.echo(
            f"👨‍💻 {click.style(exercise.id, fg='cyan')}  {exercise.title}  ({'; '.join(of)})"
        )
    if found:
        click.echo(f"\nNext: guide start {found[0].id}")


@click.command("start")
@click.argument("exercise", type=EXERCISE)
def start(exercise: str) -> None:
    """Copy the starter of EXERCISE, such as m0::e0, to a file here. Never overwrites one."""
    found = find_exercise(Plugins(), exercise)
    file = learn.attempt_file(found, Path.cwd())
    if file.exists():
        raise UsageError(f"{file.name} exists already", f"guide check {found.id}")
    file.write_bytes((found.folder / "starter.py").read_bytes())
    click.echo(read_page(found.folder / "README.md"))
    click.echo(f"\nYour file: {file.name}\n\nNext: edit it, then: guide check {found.id}")


@click.command("check")
@click.argument("exercise", type=EXERCISE)
def check(exercise: str) -> None:
    """Check your attempt at EXERCISE, the file that `guide start` made here."""
    found = find_exercise(Plugins(), exercise)
    outcome = learn.check(found, learn.attempt_file(found, Path.cwd()))
    if outcome.passed:
        click.secho(f"✓ {found.id} {found.title}: correct", fg="green")
        click.echo(f"\nNext: compare with the reference, {found.folder / 'solution.py'}")
        return
    click.secho(f"✗ {found.id} {found.title}: {outcome.message}", fg="red")
    sys.exit(1)
