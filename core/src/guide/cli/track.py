"""`guide track`."""

from __future__ import annotations

import json

import click

from guide.cli.shared import TRACK
from guide.learn.choice import choose, chosen
from guide.plugins import Plugins


@click.command("track")
@click.argument("name", required=False, type=TRACK)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def track(name: str | None, as_json: bool) -> None:
    """Choose your track, once: NAME is what `guide read` and `guide contents` then go by.

    Without NAME, say which one is chosen. Inside a project its own track comes first.
    """
    plugins = Plugins()
    if name is not None:
        choose(plugins.track(name).name)
    now = chosen()
    titles = {known.name: known.title for known in plugins.tracks()}
    if as_json:
        click.echo(json.dumps({"track": now, "installed": sorted(titles)}, indent=2))
        return
    if now is None:
        click.echo("No track is chosen; you read all of them.")
        for name, title in titles.items():
            click.echo(f"  {click.style(f'{name:14}', fg='cyan')} {title}")
        first = next(iter(titles), None)
        click.echo(f"\nNext: {f'guide track {first}' if first else 'guide tracks'}")
        return
    known = titles.get(now)
    click.echo(f"Your track is {click.style(now, fg='cyan')}" + (f", {known}." if known else "."))
    if known is None:
        click.echo("It is not installed; until it is, you read all of them.")
    click.echo(f"\nNext: {'guide read' if known else 'guide tracks'}")
