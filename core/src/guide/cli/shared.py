"""What several commands need of click."""

from __future__ import annotations

import sys

import click
from click.shell_completion import CompletionItem

from guide.errors import UsageError


class TrackName(click.ParamType[str]):
    """The name of a track; completed from the plugins that are installed."""

    name = "track"

    def shell_complete(
        self, ctx: click.Context, param: click.Parameter, incomplete: str
    ) -> list[CompletionItem]:
        """The installed tracks that begin with `incomplete`."""
        from guide.plugins import Plugins

        return [
            CompletionItem(track.name, help=track.title)
            for track in Plugins().tracks()
            if track.name.startswith(incomplete)
        ]


TRACK = TrackName()


def ask(what: str, usage: str, kind: click.ParamType[str] | None = None) -> str:
    """Ask for what was not typed, on a terminal; anywhere else that is an error.

    Raises:
        UsageError: when nobody is there to answer.
    """
    if not (sys.stdin.isatty() and sys.stdout.isatty()):
        raise UsageError(f"{what.upper()} is missing", f"type: {usage}")
    return str(click.prompt(what, type=kind))
