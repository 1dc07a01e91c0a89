"""`guide warm`."""

from __future__ import annotations

import sys
import time

import click

from guide.cli.shared import TRACK
from guide.errors import GuideError
from guide.plugin import WarmUp, load
from guide.plugins import Plugins


@click.command("warm")
@click.argument("track", type=TRACK, required=False)
def warm(track: str | None) -> None:
    """Compile now what a first run would wait for; for one TRACK, or all.

    What is compiled is kept on disk: it is done once for each machine, and again after an upgrade.
    """
    plugins = Plugins()
    tracks = [plugins.track(track)] if track else plugins.tracks()
    brought = {each.name: plugins.warm_ups(each.name) for each in tracks}
    things = [thing for some in brought.values() for thing in some]
    for status in plugins.troubles:
        if status.state == "broken":
            click.echo(f"guide: {status.line}", err=True)
    if not things:
        click.echo(f"Nothing to warm up: {track or 'what is installed'} starts as it is.")
        return
    failed = sum(not _warmed(thing) for thing in things)
    if failed:
        raise GuideError(f"{failed} of {len(things)} could not be warmed up", "see above")
    name = next(name for name, some in brought.items() if some)
    click.echo(f"\nNext: guide new-project {name} my_project")


def _warmed(thing: WarmUp) -> bool:
    """Run one and say how it went."""
    watched = sys.stderr.isatty()
    if watched:
        click.echo(f"\r\x1b[K{thing.name} ...", nl=False, err=True)
    began, why = time.monotonic(), None
    try:
        place = load(thing.run)()
    except (Exception, SystemExit) as error:  # a plugin's: the others go on
        why = str(error) if isinstance(error, GuideError) else f"{type(error).__name__}: {error}"
    if watched:
        click.echo("\r\x1b[K", nl=False, err=True)
    if why is not None:
        click.echo(f"{thing.name:32} failed: {' '.join(why.split())}")
        return False
    click.echo(f"{thing.name:32} {time.monotonic() - began:5.1f} s   kept in {place}")
    return True
