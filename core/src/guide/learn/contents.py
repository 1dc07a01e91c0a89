"""What there is to read and to do, in order, and how to find one of them by its id."""

from __future__ import annotations

import difflib
import re
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import TypeVar

from guide.errors import GuideError, UsageError
from guide.plugin import Exercise, Section
from guide.plugins import Plugins

T = TypeVar("T", Section, Exercise)


def all_sections(plugins: Plugins, track: str | None = None) -> list[Section]:
    """The common sections and those of `track`, or of every track, by module and number."""
    return _in_order(plugins, track, plugins.sections)


def all_exercises(plugins: Plugins, track: str | None = None) -> list[Exercise]:
    """The common exercises and those of `track`, or of every track, by module and number.

    Those of `track` are what its plugin brings, and what another's expects of it or invites it to.
    """
    everything = _in_order(plugins, None, plugins.exercises)
    if track is None:
        return everything
    own = {exercise.id for name in ("", track) for exercise in plugins.exercises(name)}
    return [e for e in everything if e.id in own or track in (*e.expected, *e.invited)]


def find_section(plugins: Plugins, id: str) -> Section:
    """The section called `id`. Raises UsageError when there is none."""
    return _find(all_sections(plugins), id, "section", "guide contents")


def find_exercise(plugins: Plugins, id: str) -> Exercise:
    """The exercise called `id`. Raises UsageError when there is none."""
    return _find(all_exercises(plugins), id, "exercise", "guide exercises")


def read_page(file: Path) -> str:
    """The Markdown in `file` as a reader is to see it: without comments to its author.

    Raises:
        GuideError: when the file is not there.
    """
    if not file.is_file():
        raise GuideError(f"{file} is missing", "install the plugin that brings it once more")
    return re.sub(r"<!--.*?-->\n*", "", file.read_text(encoding="utf-8"), flags=re.S).rstrip()


def _in_order(plugins: Plugins, track: str | None, of: Callable[[str], Sequence[T]]) -> list[T]:
    names: list[str] = [track] if track else [known.name for known in plugins.tracks()]
    found = {item.id: item for name in ["", *names] for item in of(name)}
    return sorted(found.values(), key=lambda item: [int(n) for n in re.findall(r"\d+", item.id)])


def _find(items: Iterable[T], id: str, what: str, listing: str) -> T:
    by_id = {item.id: item for item in items}
    if id not in by_id:
        near = difflib.get_close_matches(id, by_id, 1)
        remedy = f"did you mean {near[0]}?" if near else f"{listing} lists them"
        raise UsageError(f"no {what} {id!r}", remedy)
    return by_id[id]
