"""`guide tracks`."""

from __future__ import annotations

import json
from dataclasses import asdict

import click

from guide.plugins import Plugins


@click.command("tracks")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def tracks(as_json: bool) -> None:
    """List the tracks, and what is wrong with a plugin.

    A plugin that is broken, disabled, of another API or a duplicate is one line; everything
    else goes on without it. GUIDE_DISABLE=name,name leaves plugins out.
    """
    plugins = Plugins()
    counted = []
    for track in plugins.tracks():
        brings = {
            "sections": len(plugins.sections(track.name)),
            "exercises": len(plugins.exercises(track.name)),
            "scaffolds": len(plugins.scaffolds(track.name)),
        }
        counted.append((track, brings))
    # Any of these calls may have broken any plugin: only now is it known who is healthy.
    healthy = {known.name: plugins.plugin_of(known.name) for known in plugins.tracks()}
    rows = [(t, healthy[t.name], brings) for t, brings in counted if t.name in healthy]
    if as_json:
        found = [
            {**asdict(track), "plugin": owner.name, "distribution": owner.distribution}
            | {"version": owner.version, **brings}
            for track, owner, brings in rows
        ]
        troubles = [{**asdict(status), "line": status.line} for status in plugins.troubles]
        click.echo(json.dumps({"tracks": found, "troubles": troubles}, indent=2))
        return
    for track, owner, brings in rows:
        counts = ", ".join(
            f"{n} {what if n != 1 else what[:-1]}" for what, n in brings.items() if n
        )
        click.echo(f"{click.style(f'{track.name:14}', fg='cyan', bold=True)} {track.summary}")
        click.echo(f"{'':14} {owner.distribution} {owner.version}: {counts}")
    if not rows:
        click.echo('No track is installed. For one: pip install ".[vision]"')
    for status in plugins.troubles:
        click.echo(click.style(status.line, fg="yellow"))
    if rows:
        click.echo(f"\nNext: guide new-project {rows[0][0].name} my_project")
