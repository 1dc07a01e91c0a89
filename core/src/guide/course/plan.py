"""A course as its file says it: days, each with what to read, to do and to build.

title = "Fifteen days"

[[day]]
title = "Before you measure"
read = ["m0/s0"]
expected = ["m0::e1"]
invited = ["m0::e0"]
own = ["m1"]        # and what your track brings for m1 that no day names
project = "Choose what you build, and write its deadline down."

[day.tracks.vision] # beside the above, for one track
read = ["m1/s2"]
project = "guide new-project vision my_cam"
"""

from __future__ import annotations

import datetime
import re
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from guide.errors import GuideError

_SECTION, _EXERCISE = re.compile(r"m[0-6]/s\d+"), re.compile(r"m[0-6]::e\d+")
_KINDS = {"read": _SECTION, "expected": _EXERCISE, "invited": _EXERCISE}
_IN_PART = {*_KINDS, "project"}
_IN_DAY = {*_IN_PART, "title", "own", "tracks"}
_IN_COURSE = {"title", "start", "off", "day"}
_REMEDY = "docs/course.md says what stands in it"


@dataclass(frozen=True, slots=True)
class Part:
    """What is on, for everybody or for one track: ids, and the milestone of the project."""

    read: Sequence[str] = ()
    expected: Sequence[str] = ()
    invited: Sequence[str] = ()
    project: str = ""


@dataclass(frozen=True, slots=True)
class Day:
    """One day. `own` are modules of which things that a track brings, and no day names, come here.

    Days that take in the same module share them out.
    """

    number: int  # from 1
    title: str
    common: Part
    own: Sequence[str] = ()
    tracks: Mapping[str, Part] = field(default_factory=dict)


@dataclass(frozen=True, slots=True)
class Plan:
    """A whole course.

    Attributes:
        title: what it is called.
        days: in order.
        file: where it was read from.
        start: the date of day 1, where the teacher set one.
        off: dates without a course, such as holidays; weekends are off anyway.
    """

    title: str
    days: Sequence[Day]
    file: Path
    start: datetime.date | None = None
    off: Sequence[datetime.date] = ()

    def named(self, track: str | None) -> set[str]:
        """Every id that some day names for everybody or for `track`."""
        parts = [part for day in self.days for part in (day.common, day.tracks.get(track or ""))]
        return {id for p in parts if p for id in (*p.read, *p.expected, *p.invited)}


def read_plan(file: Path) -> Plan:
    """The course in `file`.

    Raises:
        GuideError: when it cannot be read, or something in it is not as it should be; one line.
    """
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
    except (tomllib.TOMLDecodeError, UnicodeDecodeError) as error:
        raise GuideError(f"{file}: {error}", _REMEDY) from None
    except OSError as error:
        raise GuideError(f"{file}: {error.strerror or error}", "guide course --copy FILE") from None
    try:
        _only(said, _IN_COURSE)
        days = said.get("day", [])
        if not isinstance(days, list) or not days:
            raise ValueError("it has no [[day]]")
        return Plan(
            title=_text(said, "title") or "A course",
            days=tuple(_day(number, day) for number, day in enumerate(days, 1)),
            file=file,
            start=_date(said["start"]) if "start" in said else None,
            off=tuple(_date(one) for one in _list(said, "off")),
        )
    except ValueError as error:
        raise GuideError(f"{file}: {error}", _REMEDY) from None


def _day(number: int, said: Any) -> Day:
    try:
        _only(said, _IN_DAY)
        own = _list(said, "own")
        for module in own:
            if not isinstance(module, str) or not re.fullmatch(r"m[0-6]", module):
                raise ValueError(f"own names modules, such as m1, not {module!r}")
        tracks = said.get("tracks", {})
        if not isinstance(tracks, dict):
            raise ValueError("tracks is written [day.tracks.vision]")
        parts = {}
        for name, part in tracks.items():
            _only(part, _IN_PART)
            parts[name] = _part(part)
        return Day(number, _text(said, "title") or f"Day {number}", _part(said), own, parts)
    except ValueError as error:
        raise ValueError(f"day {number}: {error}") from None


def _part(said: Mapping[str, Any]) -> Part:
    lists = {}
    for name, pattern in _KINDS.items():
        lists[name] = tuple(_list(said, name))
        for id in lists[name]:
            if not isinstance(id, str) or not pattern.fullmatch(id):
                example = "m1/s0" if pattern is _SECTION else "m1::e0"
                raise ValueError(f"{name} names ids such as {example}, not {id!r}")
    return Part(**lists, project=" ".join(_text(said, "project").split()))


def _only(said: Any, known: set[str]) -> None:
    if not isinstance(said, dict):
        raise ValueError(f"a table is wanted, not {said!r}")
    for key in said:
        if key not in known:
            import difflib

            near = difflib.get_close_matches(key, known, 1)
            raise ValueError(f"no {key!r} is known here" + (f"; {near[0]!r}?" if near else ""))


def _list(said: Mapping[str, Any], key: str) -> list[Any]:
    value = said.get(key, [])
    if not isinstance(value, list):
        raise ValueError(f"{key} is a list, not {value!r}")
    return value


def _text(said: Mapping[str, Any], key: str) -> str:
    value = said.get(key, "")
    if not isinstance(value, str):
        raise ValueError(f"{key} is a text, not {value!r}")
    return value


def _date(value: Any) -> datetime.date:
    """TOML has dates; a text that is one is understood too."""
    if isinstance(value, datetime.datetime):
        return value.date()
    if isinstance(value, datetime.date):
        return value
    try:
        return datetime.date.fromisoformat(str(value))
    except ValueError:
        raise ValueError(f"a date is written 2026-12-01, not {value!r}") from None
