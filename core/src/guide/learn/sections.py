"""Sections in reading order."""

from __future__ import annotations

import difflib

from guide.errors import UsageError
from guide.plugin import Section
from guide.plugins import Plugins


def all_sections(plugins: Plugins, track: str | None = None) -> list[Section]:
    """The common sections and those of `track`, or of every track, by module and number."""
    names = [track] if track else [known.name for known in plugins.tracks()]
    found = {s.id: s for name in ["", *names] for s in plugins.sections(name)}
    return sorted(found.values(), key=_order)


def find_section(plugins: Plugins, id: str) -> Section:
    """The section called `id`.

    Raises:
        UsageError: when there is none.
    """
    sections = {section.id: section for section in all_sections(plugins)}
    if id not in sections:
        near = difflib.get_close_matches(id, sections, 1)
        remedy = f"did you mean {near[0]}?" if near else "guide contents lists them"
        raise UsageError(f"no section {id!r}", remedy)
    return sections[id]


def _order(section: Section) -> tuple[int, int]:
    module, _, number = section.id.partition("/s")
    return int(module[1:]), int(number)
