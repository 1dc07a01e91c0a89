"""`guide new-project`."""

from __future__ import annotations

import shlex
from collections.abc import Sequence
from pathlib import Path

import click

from guide.cli.shared import TEMPLATE, TRACK, ask
from guide.errors import UsageError
from guide.plugin import Scaffold
from guide.plugins import Plugins
from guide.scaffold import new_project as scaffold_project


class WithTemplates(click.Command):
    """A command whose help ends with the templates of the tracks that are installed."""

    def format_epilog(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Only whoever asks for this help waits for the plugins."""
        plugins = Plugins()
        for track in plugins.tracks():
            scaffolds = plugins.scaffolds(track.name)
            if len(scaffolds) > 1:
                with formatter.section(f"Templates of {track.name}"):
                    formatter.write_dl([(each.name, each.title) for each in scaffolds])


@click.command("new-project", cls=WithTemplates)
@click.argument("track", required=False, type=TRACK)
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option(
    "--template", type=TEMPLATE, help="Which project to start from; without it, the first."
)
def new_project(track: str | None, path: Path | None, template: str | None) -> None:
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
    scaffold = _chosen(scaffolds, template)
    if path is None:
        path = Path(ask("Folder", f"guide new-project {track} PATH"))
    target = scaffold_project(scaffold, path)
    shown = path if len(str(path)) < len(str(target)) else target
    count = sum(file.is_file() for file in target.rglob("*"))
    click.echo(f"{scaffold.title} in {shown}: {count} files, all yours.")
    click.echo(f"\nNext: cd {shlex.quote(str(shown))} && guide run")


def _chosen(scaffolds: Sequence[Scaffold], template: str | None) -> Scaffold:
    """The one called `template`; the first when none is asked for."""
    if template is None:
        return scaffolds[0]
    for scaffold in scaffolds:
        if scaffold.name == template:
            return scaffold
    known = "; ".join(f"{each.name} ({each.title})" for each in scaffolds)
    raise UsageError(f"{scaffolds[0].track} has no template {template!r}", f"there are: {known}")
