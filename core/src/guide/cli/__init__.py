"""The command line: a table of commands, each in a file of its own that is imported on use.

`guide --help` reads the table alone, which is why it is fast and why no plugin can slow it down.
"""

from __future__ import annotations

import importlib
import io
import os
import sys
from pathlib import Path
from typing import Any

import click

from guide import __version__
from guide.errors import GuideError, UsageError

# command -> (module, what it does), under the headings that help shows
COMMANDS: dict[str, dict[str, tuple[str, str]]] = {
    "Learn": {
        "track": ("track", "Choose your track, once."),
        "contents": ("read", "List the sections, for your track or all."),
        "read": ("read", "Read a section: the next one, or the one you name."),
        "site": ("site", "Make a web site of it, to read in a browser."),
        "course": ("course", "Show the course, day by day: read, do, build."),
        "today": ("course", "Show what is on today."),
        "exercises": ("exercises", "List the exercises."),
        "start": ("exercises", "Copy an exercise's starter here."),
        "check": ("exercises", "Check your attempt: right, then fast."),
        "watch": ("watch", "Check an exercise each time you save it."),
        "hint": ("exercises", "Give the next hint for an exercise."),
        "solution": ("exercises", "Show an exercise's solution beside yours, and why."),
        "reset": ("exercises", "Begin an exercise again; yours is kept."),
        "skip": ("exercises", "Set an exercise aside."),
        "progress": ("progress", "Show what you have done and how you predict."),
    },
    "Build": {
        "new-project": ("new_project", "Start a real-time project from a track's scaffold."),
        "run": ("run", "Run a project: live display, then its record and report."),
        "report": ("report", "Show how a run went, and where its report is."),
        "compare": ("compare", "Say what changed from one run to another, and if it is real."),
        "log": ("log", "Write the project's log book: runs, what changed, your notes."),
        "trace": ("trace", "Say where a run's trace is; put a torch profile on its timeline."),
    },
    "Look": {
        "explain": ("explain", "Say in plain words where the time of a run or a trace went."),
        "profile": ("profile", "Take a trace of a program or project, and explain it."),
        "tracks": ("tracks", "List the tracks, and what is wrong with a plugin."),
        "machine": ("machine", "Measure what this machine can do: its ceilings."),
        "doctor": ("doctor", "Say what this machine has, lacks and can do."),
        "warm": ("warm", "Compile now what a first run would wait for."),
    },
    "Extend": {
        "new-track": ("new_track", "Write a working plugin for a specialization of your own."),
        "dev": ("dev", "Check exercises as their author."),
        "completion": ("completion", "Print the completion script for your shell."),
    },
}

_MODULES = {name: module for group in COMMANDS.values() for name, (module, _) in group.items()}


class LazyGroup(click.Group):
    """A group whose commands are imported when they are run."""

    def __init__(self, *args: Any, **kwargs: Any) -> None:
        super().__init__(*args, **kwargs)
        # Stand-ins: click looks here for names to suggest after a typing error.
        for group in COMMANDS.values():
            for name, (_, text) in group.items():
                self.add_command(click.Command(name, short_help=text))

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:
        """Import the command called `cmd_name`."""
        if cmd_name not in _MODULES:
            return None
        module = importlib.import_module(f"guide.cli.{_MODULES[cmd_name]}")
        return getattr(module, cmd_name.replace("-", "_"))  # type: ignore[no-any-return]

    def make_context(self, *args: Any, **kwargs: Any) -> click.Context:
        """Parse the options before the command; what is wrong with them is one line."""
        try:
            return super().make_context(*args, **kwargs)
        except click.UsageError as error:
            raise _one_line(error) from None

    def invoke(self, ctx: click.Context) -> Any:
        """Find and run the command; what is wrong with its arguments is one line."""
        try:
            return super().invoke(ctx)
        except click.UsageError as error:
            raise _one_line(error) from None

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:
        """Write the table under its headings, without importing a command."""
        for heading, group in COMMANDS.items():
            with formatter.section(heading):
                formatter.write_dl([(name, text) for name, (_, text) in group.items()], 14)


@click.group(
    cls=LazyGroup,
    invoke_without_command=True,
    context_settings={"help_option_names": ["-h", "--help"]},
)
@click.version_option(__version__, prog_name="guide", message="%(prog)s %(version)s")
@click.pass_context
def cli(ctx: click.Context) -> None:
    """Reason about time, memory and energy on your own machine; then build something real-time."""
    if ctx.invoked_subcommand is None:
        from guide.cli.home import home

        home()


def _one_line(error: click.UsageError) -> UsageError:
    path = error.ctx.command_path if error.ctx else "guide"
    message = " ".join(error.format_message().split()).rstrip(".")
    return UsageError(message, "" if message.endswith("?") else f"{path} --help says more")


def main() -> None:
    """Run the command line. Errors that a person can mend are one line and an exit code."""
    _make_printable()
    # click strips colours in a pipe; https://no-color.org it does not know.
    settings = {"color": False} if os.environ.get("NO_COLOR") else {}
    try:
        cli(prog_name="guide", **settings)
    except GuideError as error:
        fail(error)
    except OSError as error:  # a full disk, a folder that may not be written: nobody's bug
        where = f"{error.filename}: " if error.filename else "cannot write the output: "
        fail(GuideError(f"{where}{error.strerror or error}"))


def fail(error: GuideError) -> None:
    """Print one line on stderr and exit."""
    color = False if os.environ.get("NO_COLOR") else None
    click.echo(f"{click.style('guide:', fg='red')} {error}", err=True, color=color)
    sys.exit(error.exit_code)


def _make_printable() -> None:
    """Let no output end a command: what the encoding lacks becomes "?", no stdout is an empty one.

    A terminal of ASCII has no "µ", and a run of an hour must not end over that.
    """
    for name in ("stdout", "stderr"):
        stream = getattr(sys, name)
        if stream is None:  # closed by whoever started us
            setattr(sys, name, Path(os.devnull).open("w", encoding="utf-8"))  # noqa: SIM115
        elif isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="replace")
