"""`guide` alone: where you are, and what to type next. Loads no plugin: it is typed most."""

from __future__ import annotations

import json
import shutil
import sys
from pathlib import Path

import click

from guide.project import find_project, read_project

Command = tuple[str, str]


def home() -> None:
    """Print it."""
    folder = find_project(Path.cwd())
    learning = _learning()
    if folder is None:
        begun = len(learning) > 1 or _data("read.jsonl") or _data("attempts.jsonl")
        click.echo("You are not in a project.\n" if begun else _WELCOME)
        first = [] if _data("track.json") else [("guide track", "choose a track, once")]
        build = [("guide new-project", "start a real-time project")]
        course = [] if _data("course.json") else [("guide today", "follow the course, day by day")]
        _next(*first, *learning, *course, *build, ("guide --help", "see every command"))
        return
    project = read_project(folder)
    # Not record.latest_run: what that imports would make this, the most typed command, slower.
    runs = sorted(file.parent for file in project.runs.glob("*/run.json"))
    count = f"{len(runs)} run{'s' if len(runs) != 1 else ''}" if runs else "not run yet"
    click.echo(f"You are in {project.name}, a {project.track} project ({count}).\n")
    if runs:
        _next(
            ("guide run", "run it again"),
            ("guide report", f"see how the last run went ({runs[-1].name})"),
            ("python -m pytest", "run its tests"),
            *learning,
        )
    else:
        _next(("guide run", "run it"), ("python -m pytest", "run its tests"), *learning)


_WELCOME = """\
Welcome. This is a performance guide that runs: read a section,
predict a number, measure it here, and find out why you were
wrong. Then build something that has a deadline.
"""


def _next(*commands: Command) -> None:
    room = shutil.get_terminal_size().columns - 24 if sys.stdout.isatty() else 200
    click.echo("Next:")
    for command, why in commands:
        shown = why if len(why) <= room else f"{why[: max(room - 1, 8)].rstrip()}…"
        click.echo(f"  {click.style(f'{command:20}', fg='cyan')} {shown}")


def _learning() -> list[Command]:
    """What to read next, the exercise that is begun, and the day of the course."""
    found = [_reading()]
    if begun := _begun():
        found.append((f"guide check {begun}", "go on with the exercise you began"))
    if _data("course.json"):
        found += _day()
    return found


def _reading() -> Command:
    """The next section, as it was when the last one was read."""
    for line in reversed(_data("read.jsonl").splitlines()):
        try:
            said = json.loads(line)
            if "next" in said:
                following = said["next"]
                if not following:
                    return "guide contents", "you have read all of it; look something up"
                return f"guide read {following}", str(said.get("title", "read on"))
        except (ValueError, TypeError, AttributeError):
            continue  # a line that was cut short
    return "guide read", "read the first section"


def _begun() -> str:
    """The exercise that was touched last of those that are begun and not passed; "" for none."""
    if not _data("attempts.jsonl"):
        return ""
    from guide.learn.attempts import entries
    from guide.learn.progress import standings

    open_ = [
        (one.at, id)
        for id, one in standings(entries()).items()
        if one.state != "new" and not one.passed and not one.skipped
    ]
    return max(open_)[1] if open_ else ""


def _day() -> list[Command]:
    """The day that is on, in a course that was begun."""
    import datetime

    from guide.course.place import course_file, remembered, today
    from guide.course.plan import read_plan
    from guide.errors import GuideError

    try:
        plan = read_plan(course_file(Path.cwd()))
    except GuideError:
        return [("guide today", "see what is wrong with the course's file")]
    day = today(plan, remembered(), datetime.date.today())
    return [("guide today", f"day {day.number} of {len(plan.days)}: {day.title}")]


def _data(name: str) -> str:
    """What the user's data folder holds under `name`; "" where there is nothing."""
    from guide.learn.choice import data_folder

    try:
        return (data_folder() / name).read_text(encoding="utf-8", errors="replace")
    except (OSError, RuntimeError):
        return ""
