"""`guide contents` and `guide read`."""

from __future__ import annotations

import json
import shutil
import sys
from collections.abc import Collection, Sequence
from typing import TYPE_CHECKING

import click

from guide.cli.shared import SECTION, TRACK, chosen_track, terminal
from guide.errors import GuideError
from guide.learn import choice
from guide.learn.contents import all_exercises, all_sections, find_section
from guide.plugins import Plugins

if TYPE_CHECKING:
    from guide.plugin import Exercise, Figure, Section


@click.command("contents")
@click.argument("track", required=False, type=TRACK)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def contents(track: str | None, as_json: bool) -> None:
    """List the sections in order: those of TRACK and the common ones.

    Without TRACK, those of the project's track inside a project, those of the track that
    `guide track` chose elsewhere, and all where none was chosen. What you have read has a mark.
    """
    plugins = Plugins()
    sections = all_sections(plugins, chosen_track(track, plugins))
    read_before = choice.read_sections()
    if as_json:
        rows = [
            {"id": s.id, "title": s.title, "tracks": s.tracks}
            | {"stands_on": s.stands_on, "read": s.id in read_before}
            for s in sections
        ]
        click.echo(json.dumps(rows, indent=2))
        return
    module = ""
    for section in sections:
        if module not in ("", section.id.partition("/")[0]):
            click.echo()
        module = section.id.partition("/")[0]
        tracks = f"  🧬 {', '.join(section.tracks)}" if section.tracks else ""
        done = click.style(" ✓", fg="green") if section.id in read_before else ""
        click.echo(f"{click.style(section.id, fg='cyan')}  {section.title}{tracks}{done}")
    if sections:
        following = next_unread(sections, read_before)
        click.echo(f"\nNext: guide read {following.id if following else sections[0].id}")


@click.command("read")
@click.argument("section", required=False, type=SECTION)
@click.option("--measure/--no-measure", default=None, help="Measure figures that are not yet.")
@click.option("--again", is_flag=True, help="Measure its figures anew.")
@click.option("--write-examples", is_flag=True, help="Ship what is measured here as the author's.")
def read(section: str | None, measure: bool | None, again: bool, write_examples: bool) -> None:
    """Read SECTION, such as m0/s0; without it, the next of your track that you have not read.

    Its figures are measured on this machine when you first read it on a terminal, which takes a
    few seconds; elsewhere they are the author's, unless you ask with --measure.
    """
    from guide.learn.figures import example, kept, write_example
    from guide.learn.pages import named_figures, page

    plugins = Plugins()
    sections = all_sections(plugins)
    mine = all_sections(plugins, chosen_track(None, plugins))
    found = find_section(plugins, section) if section else next_unread(mine)
    if found is None:
        click.echo(f"You have read all {len(mine)} sections.\n\nNext: guide exercises")
        return
    wanted = named_figures(found, sections)
    if not (again or write_examples):
        wanted = [f for f in wanted if kept(f) is None and not example(f).data.get("computed")]
    if measure is None:
        measure = sys.stdout.isatty()
    troubles = _measured(wanted) if measure or again or write_examples else []
    if write_examples:
        for figure in found.figures:
            if own := kept(figure):
                write_example(figure, own)
                click.echo(f"wrote {figure.example}", err=True)
    doable = all_exercises(plugins, chosen_track(None, plugins))
    todo = [exercise for exercise in doable if exercise.section == found.id]
    _show(page(found, sections), mine, todo, troubles)


def next_unread(
    sections: Sequence[Section], read_before: Collection[str] | None = None
) -> Section | None:
    """The first of `sections` that was not read; None when all were."""
    before = set(choice.read_sections() if read_before is None else read_before)
    return next((s for s in sections if s.id not in before), None)


def _show(
    page: object, mine: Sequence[Section], todo: Sequence[Exercise], troubles: Sequence[str]
) -> None:
    from guide.learn.pages import Page
    from guide.learn.terminal import render

    assert isinstance(page, Page)
    on_terminal, columns, color, unicode = terminal()
    text = render(page, columns, color=color, unicode=unicode)
    later = [s.id for s in mine]
    at = later.index(page.section.id) + 1 if page.section.id in later else 0
    before = {*choice.read_sections(), page.section.id}
    following = next_unread(mine[at:], before) or next_unread(mine, before)
    try:
        choice.remember(page.section.id, *((following.id, following.title) if following else ()))
    except GuideError as error:
        troubles = [*troubles, str(error)]
    last = f"\nNext: guide read {following.id}\n" if following else "\nNext: guide exercises\n"
    tail = "".join(exercise_line(e) for e in todo) + last
    text += "\n"
    # A page that fits is shown where one is; a longer one a screen at a time, as $PAGER does it.
    # What to type next comes after the pager, which may take all it showed with it.
    if on_terminal and (text + tail).count("\n") >= shutil.get_terminal_size().lines - 1:
        click.echo_via_pager(text, color=color)
    else:
        click.echo(text, nl=False, color=color or None)
    click.echo(tail, nl=False)
    for trouble in troubles:
        click.echo(f"guide: {trouble}", err=True)


def exercise_line(exercise: Exercise) -> str:
    """What a section says at its end of an exercise that belongs to it."""
    command = click.style(f"guide start {exercise.id}", fg="cyan")
    return f"\nExercise: {exercise.id} {exercise.title}\n          {command}\n"


def _measured(figures: Sequence[Figure]) -> list[str]:
    """Measure each, with a bar on a terminal; returns what could not be measured, and why."""
    from guide.learn.figures import measure

    troubles = []
    bar = sys.stderr.isatty()
    for i, figure in enumerate(figures):
        if bar:
            full = 20 * i // len(figures)
            shown = "█" * full + "░" * (20 - full)
            click.echo(f"\r\x1b[Kmeasuring {shown} {figure.name}", nl=False, err=True)
        try:
            measure(figure)
        except GuideError as error:
            troubles.append(f"{figure.name}: {error}")
    if bar and figures:
        click.echo("\r\x1b[K", nl=False, err=True)
    return troubles
