"""`guide course` and `guide today`."""

from __future__ import annotations

import datetime
import json
import shutil
import sys
import textwrap
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from guide.cli.shared import TRACK, chosen_track
from guide.course.agenda import Agenda, Item, Known, agendas, check, look_around
from guide.course.place import Place, course_file, remember, remembered, working_days
from guide.course.place import today as day_of
from guide.course.plan import Day, Plan, read_plan
from guide.errors import GuideError, UsageError
from guide.plugins import Plugins


@click.command("course")
@click.option("--track", type=TRACK, help="Whose; by default yours.")
@click.option("--copy", "copy_to", type=click.Path(path_type=Path), help="Write its file here.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def course(track: str | None, copy_to: Path | None, as_json: bool) -> None:
    """Show the course: what to read, to do and to build on each of its days.

    It is one file. A teacher takes a copy with --copy and changes it; the file that GUIDE_COURSE
    names comes first, then a course.toml in this folder or above, then the one built in.
    """
    if copy_to is not None:
        _copy(copy_to)
        return
    plan, known, days = _all(track)
    on = day_of(plan, remembered(), datetime.date.today())
    if as_json:
        rows = [_row(agenda) for agenda in days]
        said = {"title": plan.title, "file": str(plan.file), "today": on.number, "days": rows}
        click.echo(json.dumps(said | {"notes": known.notes}, indent=2))
        return
    click.secho(plan.title, bold=True)
    for agenda in days:
        for line in _short(agenda, agenda.day == on):
            click.echo(line)
    _notes(known)
    click.echo("\n✓ done  (in brackets: invited)\nNext: guide today")


@click.command("today")
@click.option("--track", type=TRACK, help="Whose; by default yours.")
@click.option("--day", "number", type=int, help="Go to this day; it is remembered.")
@click.option("--start", "started", metavar="DATE", help="Day 1 is DATE; working days count.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def today(track: str | None, number: int | None, started: str | None, as_json: bool) -> None:
    """Show what is on today: to read, to do, to build.

    The day you go to with --day is remembered, and so is the date of the first one that you name
    with --start: the days then follow the calendar, without weekends.
    """
    plan, known, days = _all(track)
    if number is not None and started is not None:
        raise UsageError("--day and --start exclude each other", "type one of them")
    if number is not None and not 1 <= number <= len(plan.days):
        raise UsageError(f"the course has no day {number}", f"it has 1 to {len(plan.days)}")
    place = remembered()
    if number is not None:
        place = Place(number)
    elif started is not None:
        place = Place(start=_date(started))
    elif not (place.day or place.start or plan.start):
        place = Place(1)
    if place != remembered():
        remember(place)
    date = datetime.date.today()
    on = days[day_of(plan, place, date).number - 1]
    before = [agenda for agenda in days[: on.day.number - 1] if agenda.left]
    if as_json:
        click.echo(json.dumps(_row(on) | {"left": [i.id for i in on.left]}, indent=2))
        return
    for line in _long(on, plan, _outside(plan, place, date)):
        click.echo(line)
    if before:
        count = sum(len(agenda.left) for agenda in before)
        click.echo(f"\nLeft from before: {count}, the first on day {before[0].day.number}")
    _notes(known)
    click.echo(f"\nNext: {_next(on, plan, known)}")


def _all(track: str | None) -> tuple[Plan, Known, list[Agenda]]:
    """The course that counts here, checked, and its days for whoever asks."""
    plan = read_plan(course_file(Path.cwd()))
    plugins = Plugins()
    known = look_around(plugins)
    check(plan, known)
    return plan, known, agendas(plan, known, chosen_track(track, plugins))


def _copy(to: Path) -> None:
    file = to / "course.toml" if to.is_dir() else to
    if file.exists():
        raise UsageError(f"{file} exists already", "name another file")
    try:
        file.write_bytes(course_file(Path.cwd()).read_bytes())
    except OSError as error:
        raise GuideError(f"{file}: {error.strerror or error}", "name another file") from None
    click.echo(f"{file} is yours to change.")
    here = file.name == "course.toml" and file.resolve().parent == Path.cwd().resolve()
    click.echo(f"\nNext: {'guide course' if here else f'GUIDE_COURSE={file} guide course'}")


def _short(agenda: Agenda, on: bool) -> Iterator[str]:
    """A day in a line or two."""
    done = bool(agenda.read or agenda.expected) and not agenda.left
    sign = click.style("✓", fg="green") if done else click.style("▸", fg="cyan") if on else " "
    title = click.style(f"{agenda.day.number:2}  {agenda.day.title}", bold=on)
    yield f"{sign} {title}"
    items = [_marked(item) for item in (*agenda.read, *agenda.expected)]
    items += [f"({_marked(item)})" for item in agenda.invited]
    if items:
        yield from _wrapped("  ".join(items), "      ")


def _marked(item: Item) -> str:
    # A space that does not break: a mark at the beginning of a line belongs to nobody.
    return f"{item.id}\u00a0✓" if item.done else item.id


def _long(agenda: Agenda, plan: Plan, outside: str) -> Iterator[str]:
    yield click.style(f"Day {agenda.day.number} of {len(plan.days)}: {agenda.day.title}", bold=True)
    if outside:
        yield outside
    for heading, items in (
        ("Read", agenda.read),
        ("Do", agenda.expected),
        ("Do, if you like", agenda.invited),
    ):
        if items:
            yield f"\n{heading}"
            for item in items:
                sign = click.style("✓", fg="green") if item.done else "·"
                yield f"  {sign} {click.style(f'{item.id:7}', fg='cyan')} {item.title}"
    if agenda.project:
        yield "\nBuild"
        for text in agenda.project:
            yield from _wrapped(text, "  ")


def _wrapped(text: str, indent: str) -> list[str]:
    columns = shutil.get_terminal_size().columns if sys.stdout.isatty() else 80
    return [
        line.replace("\u00a0", " ")
        for line in textwrap.wrap(
            text,
            min(columns, 84),
            initial_indent=indent,
            subsequent_indent=indent,
            break_long_words=False,
            break_on_hyphens=False,
        )
    ]


def _outside(plan: Plan, place: Place, date: datetime.date) -> str:
    """What there is to say where the calendar is before the course, after it, or on a day off."""
    start = place.start or (None if place.day else plan.start)
    if start is None:
        return ""
    if date < start:
        return f"It begins on {start}."
    if date.weekday() > 4 or date in plan.off:
        return "Today is a day off; this was on last."
    if working_days(start, date, plan.off) > len(plan.days):
        return "The course is over; this was its last day."
    return ""


def _next(agenda: Agenda, plan: Plan, known: Known) -> str:
    for item in agenda.left:
        if item.id in known.sections:
            return f"guide read {item.id}"
        return f"guide {'start' if item.state == 'new' else 'check'} {item.id}"
    if agenda.day.number < len(plan.days):
        return f"the project; then: guide today --day {agenda.day.number + 1}"
    return "guide progress"


def _row(agenda: Agenda) -> dict[str, Any]:
    def rows(items: Sequence[Item]) -> list[dict[str, Any]]:
        return [{"id": item.id, "title": item.title, "done": item.done} for item in items]

    day: Day = agenda.day
    return {
        "day": day.number,
        "title": day.title,
        "read": rows(agenda.read),
        "expected": rows(agenda.expected),
        "invited": rows(agenda.invited),
        "project": list(agenda.project),
    }


def _notes(known: Known) -> None:
    for note in known.notes:
        click.echo(f"guide: {note}", err=True)


def _date(text: str) -> datetime.date:
    try:
        return datetime.date.fromisoformat(text)
    except ValueError:
        raise UsageError(f"--start {text}: not a date", "type it as 2026-12-01") from None
