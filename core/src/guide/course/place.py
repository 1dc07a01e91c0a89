"""Which course it is, and which day of it: the file that counts, and what is remembered."""

from __future__ import annotations

import datetime
import json
import os
from dataclasses import dataclass
from pathlib import Path

from guide.course.plan import Day, Plan
from guide.errors import GuideError
from guide.learn.choice import data_folder

BUILT_IN = Path(__file__).with_name("course.toml")
_NAME = "course.toml"


def course_file(start: Path) -> Path:
    """The file of the course: GUIDE_COURSE, a course.toml here or above, else the one built in.

    Raises:
        GuideError: when GUIDE_COURSE names a file that is not there.
    """
    if named := os.environ.get("GUIDE_COURSE", ""):
        file = Path(named).expanduser()
        if not file.is_file():
            raise GuideError(f"GUIDE_COURSE names {file}, which is not there", "unset GUIDE_COURSE")
        return file
    start = start.resolve()
    for folder in (start, *start.parents):
        # Only a file with a [[day]] is a course: others may call something of theirs so too.
        if _is_course(folder / _NAME):
            return folder / _NAME
    return BUILT_IN


def _is_course(file: Path) -> bool:
    try:
        return b"[[day]]" in file.read_bytes()
    except OSError:
        return False


@dataclass(frozen=True, slots=True)
class Place:
    """What is remembered of where the learner is: a day, or the date of day 1; 0 for none."""

    day: int = 0
    start: datetime.date | None = None


def remembered() -> Place:
    """What `remember` kept; nothing where nothing was, or where it cannot be read."""
    try:
        said = json.loads((data_folder() / "course.json").read_text(encoding="utf-8"))
        start = said.get("start")
        return Place(int(said.get("day", 0)), datetime.date.fromisoformat(start) if start else None)
    except (OSError, RuntimeError, ValueError, TypeError, AttributeError):
        return Place()


def remember(place: Place) -> None:
    """Keep it.

    Raises:
        GuideError: when the folder for it cannot be written.
    """
    from guide.record import write_atomically

    said = {"day": place.day, "start": place.start.isoformat() if place.start else None}
    try:
        folder = data_folder()
        folder.mkdir(parents=True, exist_ok=True)
        write_atomically(folder / "course.json", lambda out: out.write(json.dumps(said)))
    except (OSError, RuntimeError) as error:
        remedy = "set XDG_DATA_HOME to a folder that can be written"
        raise GuideError(f"the day could not be remembered: {error}", remedy) from None


def today(plan: Plan, place: Place, date: datetime.date) -> Day:
    """The day that is on.

    A start date, the learner's before the teacher's, counts working days from then. Else it is
    the day that was remembered, and day 1 where none was.
    """
    start = place.start or (None if place.day else plan.start)
    number = working_days(start, date, plan.off) if start else place.day
    return plan.days[min(max(number, 1), len(plan.days)) - 1]


def working_days(start: datetime.date, date: datetime.date, off: object = ()) -> int:
    """Days from `start` to `date`, both counted, without weekends and those in `off`.

    >>> friday = datetime.date(2026, 11, 27)
    >>> working_days(friday, friday), working_days(friday, datetime.date(2026, 11, 30))
    (1, 2)
    """
    free = set(off) if isinstance(off, list | tuple) else set()
    count, one = 0, start
    while one <= date and count < 1000:
        count += one.weekday() < 5 and one not in free
        one += datetime.timedelta(days=1)
    return count
