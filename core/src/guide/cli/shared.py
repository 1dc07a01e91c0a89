"""What several commands need of click."""

from __future__ import annotations

import os
import shutil
import sys
from collections.abc import Iterable
from contextlib import suppress
from pathlib import Path

import click
from click.shell_completion import CompletionItem

from guide.errors import GuideError, UsageError
from guide.learn import choice
from guide.plugins import Plugins
from guide.project import find_project, read_project


class Name(click.ParamType[str]):
    """A name that plugins give: taken as it is typed, completed from what is installed."""

    def __init__(self, name: str) -> None:
        self.name = name

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """Those that begin with `incomplete`, each with its title."""
        return [
            CompletionItem(name, help=title)
            for name, title in _known(self.name)
            if name.startswith(incomplete)
        ]


TRACK, SECTION, EXERCISE = Name("track"), Name("section"), Name("exercise")
TEMPLATE = Name("template")


def _known(what: str) -> Iterable[tuple[str, str]]:
    from guide.learn.contents import all_exercises, all_sections

    plugins = Plugins()
    if what == "track":
        return [(track.name, track.title) for track in plugins.tracks()]
    if what == "template":
        found = [each for track in plugins.tracks() for each in plugins.scaffolds(track.name)]
        return list({each.name: (each.name, each.title) for each in found}.values())
    items = all_sections(plugins) if what == "section" else all_exercises(plugins)
    return [(item.id, item.title) for item in items]


def chosen_track(typed: str | None, plugins: Plugins) -> str | None:
    """The track that was typed, that of the project one is in, or the learner's; None for all.

    Raises:
        GuideError: when the track that was typed is not there.
    """
    if typed is not None:
        return plugins.track(typed).name
    folder = find_project(Path.cwd())
    known = {track.name for track in plugins.tracks()}
    here = read_project(folder).track if folder else None
    return next((name for name in (here, choice.chosen()) if name in known), None)


def ask(what: str, usage: str, kind: click.ParamType[str] | None = None) -> str:
    """Ask for what was not typed, on a terminal; anywhere else that is an error.

    Raises:
        UsageError: when nobody is there to answer.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(f"{what.upper()} is missing", f"type: {usage}")
    return str(click.prompt(what, type=kind))


def terminal() -> tuple[bool, int, bool, bool]:
    """What text is written for: whether a terminal, its columns, whether colour and Unicode."""
    on_terminal = sys.stdout.isatty()
    columns = shutil.get_terminal_size().columns if on_terminal else 80
    color = on_terminal and not os.environ.get("NO_COLOR") and os.environ.get("TERM") != "dumb"
    return on_terminal, columns, color, "utf" in (sys.stdout.encoding or "").lower()


def show_text(text: str) -> None:
    """Print Markdown, such as the page of an exercise, as a reader wants it.

    What is not written as sections are is printed as it stands: a stranger's page is still read.
    """
    from guide.learn.terminal import render_text

    _, columns, color, unicode = terminal()
    with suppress(GuideError):
        text = render_text(text, columns, color=color, unicode=unicode)
    click.echo(text, color=color or None)
