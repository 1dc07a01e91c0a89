"""`guide new-project`."""

from __future__ import annotations

import shlex
from pathlib import Path

import click

from guide.cli.shared import TRACK, ask
from guide.errors import UsageError
from guide.plugins import Plugins
from guide.scaffold import new_project as scaffold_project


@click.command("new-project")
@click.argument("track", required=False, type=TRACK)
@click.argument("path", required=False, type=click.Path(path_type=Path))
def new_project(track: str | None, path: Path | None) -> None:
    """Start a real-time project of TRACK in the new folder PATH.

    The folder's name becomes the name of its Python package. On a terminal, what is missing is
    asked for.
    """
    plugins = Plugins()
    names = [known.name for known in plugins.tracks()]
    if track is None:
        track = ask("Track", "guide new-project TRACK PATH", click.Choice(names) if names else None)
    plugins.track(track)
    scaffolds = plugins.scaffolds(track)
    if not scaffolds:
        plugins.track(track)  # its hook may just have failed, and then this says how
        raise UsageError(f"track {track} has no scaffold", "guide tracks lists those that have")
    if path is None:
        path = Path(ask("Folder", f"guide new-project {track} PATH"))
    target = scaffold_project(scaffolds[0], path)
    shown = path if len(str(path)) < len(str(target)) else target
    count = sum(file.is_file() for file in target.rglob("*"))
    click.echo(f"{scaffolds[0].title} in {shown}: {count} files, all yours.")
    click.echo(f"\nNext: cd {shlex.quote(str(shown))} && guide run")
