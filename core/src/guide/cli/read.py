"""`guide contents` and `guide read`."""

from __future__ import annotations

import json

import click

from guide.cli.shared import SECTION, TRACK, chosen_track
from guide.learn.contents import all_sections, find_section, read_page
from guide.plugins import Plugins


@click.command("contents")
@click.argument("track", required=False, type=TRACK)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def contents(track: str | None, as_json: bool) -> None:
    """List the sections in order: those of TRACK and the common ones.

    Without TRACK, those of the project's track inside a project, and all elsewhere.
    """
    plugins = Plugins()
    sections = all_sections(plugins, chosen_track(track, plugins))
    if as_json:
        rows = [{"id": s.id, "title": s.title, "tracks": s.tracks} for s in sections]
        click.echo(json.dumps(rows, indent=2))
        return
    for section in sections:
        tracks = f"  🧬 {', '.join(section.tracks)}" if section.tracks else ""
        click.echo(f"{click.style(section.id, fg='cyan')}  {section.title}{tracks}")
    if sections:
        click.echo(f"\nNext: guide read {sections[0].id}")


@click.command("read")
@click.argument("section", type=SECTION)
def read(section: str) -> None:
    """Read SECTION, such as m0/s0: as Markdown, paged on a terminal."""
    plugins = Plugins()
    found = find_section(plugins, section)
    order = [known.id for known in all_sections(plugins)]
    later = order[order.index(found.id) + 1 :]
    following = f"guide read {later[0]}" if later else "guide exercises"
    click.echo_via_pager(f"{read_page(found.file)}\n\nNext: {following}\n")
