"""A day as one learner sees it: their track's, with titles, and what is done of it."""

from __future__ import annotations

import difflib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path

from guide.course.plan import Day, Part, Plan
from guide.errors import GuideError
from guide.learn.progress import Standing
from guide.plugin import Exercise, Section
from guide.plugins import Plugins


@dataclass(frozen=True, slots=True)
class Item:
    """Something to read or to do."""

    id: str
    title: str
    done: bool
    state: str = ""  # of an exercise, as `guide exercises` has it


@dataclass(frozen=True, slots=True)
class Agenda:
    """What is on at a day, for one track.

    Attributes:
        day: which.
        read: sections.
        expected: exercises to be done.
        invited: those for whoever likes.
        project: milestones, the common one first.
    """

    day: Day
    read: Sequence[Item] = ()
    expected: Sequence[Item] = ()
    invited: Sequence[Item] = ()
    project: Sequence[str] = ()

    @property
    def left(self) -> list[Item]:
        """What is to be read or done and is not yet, in order; invitations are none of it."""
        return [item for item in (*self.read, *self.expected) if not item.done]


@dataclass(slots=True)
class Known:
    """What is installed, and where the learner stands in it."""

    sections: Mapping[str, Section]
    exercises: Mapping[str, Exercise]
    standings: Mapping[str, Standing]
    read: set[str]
    tracks: Sequence[str]
    notes: list[str] = field(default_factory=list)  # what is not installed, a line each


def look_around(plugins: Plugins) -> Known:
    """What is installed, of every track, and where the learner stands."""
    from guide.learn.choice import read_sections
    from guide.learn.contents import all_exercises, all_sections
    from guide.learn.exercises import standing_of

    exercises = all_exercises(plugins)
    return Known(
        {section.id: section for section in all_sections(plugins)},
        {exercise.id: exercise for exercise in exercises},
        standing_of(exercises),
        set(read_sections()),
        [track.name for track in plugins.tracks()],
    )


def check(plan: Plan, known: Known) -> None:
    """Hold the ids of a course against what is installed.

    What a track that is not installed is to do is a note. An id that nobody brings is an error.

    Raises:
        GuideError: with the nearest id that there is.
    """
    absent = []
    for day in plan.days:
        _check_part(plan, day, day.common, known)
        for name, part in day.tracks.items():
            if name in known.tracks:
                _check_part(plan, day, part, known)
            elif near := difflib.get_close_matches(name, known.tracks, 1, 0.8):
                raise _wrong(plan.file, day, f"no track {name!r}", near)
            elif name not in absent:
                absent.append(name)
    known.notes += [f"{name} is not installed; its part is left out" for name in absent]


def _check_part(plan: Plan, day: Day, part: Part, known: Known) -> None:
    for what, ids, there in (
        ("section", part.read, known.sections),
        ("exercise", (*part.expected, *part.invited), known.exercises),
    ):
        for id in ids:
            if id not in there:
                near = difflib.get_close_matches(id, there, 1)
                raise _wrong(plan.file, day, f"no {what} {id!r}", near)


def _wrong(file: Path, day: Day, what: str, near: Sequence[str]) -> GuideError:
    remedy = f"did you mean {near[0]}?" if near else "guide contents and guide exercises list them"
    return GuideError(f"{file}: day {day.number}: {what}", remedy)


def agendas(plan: Plan, known: Known, track: str | None) -> list[Agenda]:
    """Every day of the course for `track`; without one, what is common."""
    own = _own(plan, known, track) if track else {}
    return [_agenda(day, known, track, own) for day in plan.days]


def _own(plan: Plan, known: Known, track: str) -> dict[int, list[str]]:
    """What a track brings and no day names, dealt out to the days that take it in: ids by day.

    Each thing has one day. Sections of a module are spread over its days in order; an exercise
    comes with its section, and is spread likewise where that has no day.
    """
    named = plan.named(track)
    takers = {
        module: [day.number for day in plan.days if module in day.own]
        for module in {module for day in plan.days for module in day.own}
    }
    on: dict[str, int] = {id: d.number for d in plan.days for id in _reading(d, track)}
    sections = [id for id, s in known.sections.items() if track in s.tracks and id not in named]
    todo = [
        id
        for id, e in known.exercises.items()
        if track in (*e.expected, *e.invited) and id not in named
    ]
    _deal(sections, takers, on)
    for id in todo:
        section = known.exercises[id].section
        if section in on and id[:2] in takers:
            on[id] = on[section]
    _deal([id for id in todo if id not in on], takers, on)
    dealt: dict[int, list[str]] = {}
    for id in (*sections, *todo):
        if id in on:
            dealt.setdefault(on[id], []).append(id)
    return dealt


def _reading(day: Day, track: str) -> list[str]:
    return [*day.common.read, *day.tracks.get(track, Part()).read]


def _deal(ids: Sequence[str], takers: Mapping[str, Sequence[int]], on: dict[str, int]) -> None:
    """Spread ids, in order, evenly over the days that take in their modules."""
    for module, days in takers.items():
        mine = [id for id in ids if id[:2] == module]
        on.update({id: days[i * len(days) // len(mine)] for i, id in enumerate(mine)})


def _agenda(day: Day, known: Known, track: str | None, own: Mapping[int, Sequence[str]]) -> Agenda:
    mine = day.tracks.get(track or "", Part()) if track in known.tracks else Part()
    brought = own.get(day.number, ())
    todo = [known.exercises[id] for id in brought if id in known.exercises]
    read = [*day.common.read, *mine.read, *(id for id in brought if id in known.sections)]
    expected = [*day.common.expected, *mine.expected]
    expected += [exercise.id for exercise in todo if track in exercise.expected]
    invited = [*day.common.invited, *mine.invited]
    invited += [exercise.id for exercise in todo if track not in exercise.expected]
    return Agenda(
        day,
        [Item(id, known.sections[id].title, id in known.read) for id in dict.fromkeys(read)],
        [_exercise(id, known) for id in dict.fromkeys(expected)],
        [_exercise(id, known) for id in dict.fromkeys(invited)],
        [text for text in (day.common.project, mine.project) if text],
    )


def _exercise(id: str, known: Known) -> Item:
    standing = known.standings.get(id, Standing())
    done = standing.passed or standing.skipped
    return Item(id, known.exercises[id].title, done, standing.state)
