"""`guide log`."""

from __future__ import annotations

from pathlib import Path

import click

from guide.cli.report import find_run
from guide.errors import GuideError
from guide.logbook import BOOK, add
from guide.report import write_report


@click.command("log")
@click.option("-m", "--message", "note", default="", metavar="NOTE", help="What you say about it.")
@click.option("--run", type=click.Path(path_type=Path), metavar="RUN", help="The run; or the last.")
def log(note: str, run: Path | None) -> None:
    """Write the runs since the last entry into the project's log book, LOG.md, with your NOTE.

    Each gets its figures and what changed since the run before it. What you wrote yourself stays
    as it is. With --run, that run alone is written.
    """
    folder = find_run(run).resolve()
    project = folder.parent.parent
    if folder.parent.name != "runs":
        raise GuideError(f"{folder} is not among a project's runs", "a log book is a project's")
    added = add(project, folder if run else None, note)
    if note:
        write_report(folder)  # it shows the note
    what = ", ".join(added) if added else "no new run"
    click.echo(f"{project / BOOK}: {what}{f'; noted at {folder.name}' if note else ''}")
    if not added and not note:
        click.echo('Next: guide run, or guide log -m "what I learned"')
