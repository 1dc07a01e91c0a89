"""Put the site's source together: Markdown pages and a mkdocs.yml, for the chosen tracks.

What stands in mkdocs.yml is kept to what zensical and mkdocs-material both build.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from functools import partial
from html import escape
from pathlib import Path

from guide.learn.contents import read_page
from guide.learn.listings import listing
from guide.learn.pages import MARK, Page, page
from guide.plugin import Exercise, Section, Track
from guide.site.charts import figure

MODULES = {
    "m0": "The landscape",
    "m1": "Memory",
    "m2": "Side by side",
    "m3": "Numbers",
    "m4": "In real time",
    "m5": "Measuring",
    "m6": "Your project",
}
_ID = re.compile(r"(?<![\w/.])(m[0-6]/s\d+)\b(?!\.md)")
_KEPT = re.compile(r"(`[^`\n]*`|\[[^\]]*\]\([^)]*\)|<[^>\n]*>)")
_DIRECTIVE = re.compile(r"^\{(figure|listing): (\S+)\}$", re.M)


@dataclass(frozen=True, slots=True)
class Course:
    """What a site is made of.

    Attributes:
        tracks: those it is for, in order; their sections and the common ones are in it.
        sections: to be read, in order.
        exercises: to be done, in order.
        everything: all sections that are installed, for their figures and titles.
        read: ids of sections that were read.
        passed: ids of exercises that were passed.
    """

    tracks: Sequence[Track]
    sections: Sequence[Section]
    exercises: Sequence[Exercise]
    everything: Sequence[Section]
    read: Sequence[str] = ()
    passed: Sequence[str] = ()


def assemble(course: Course, folder: Path) -> None:
    """Write the source of the site into `folder`, which exists and is empty.

    Raises:
        GuideError: when a section cannot be shown whole; says which.
    """
    docs = folder / "docs"
    for section in course.sections:
        _write(docs / f"{section.id}.md", _section(section, course))
    for exercise in course.exercises:
        _write(docs / f"{file_of(exercise)}", _exercise(exercise))
    _write(docs / "index.md", _home(course))
    _write(docs / "exercises.md", _exercises(course))
    _write(docs / "progress.md", _progress(course))
    css = Path(__file__).with_name("site.css").read_text(encoding="utf-8")
    _write(docs / "guide.css", css)
    _write(folder / "mkdocs.yml", _configuration(course))


def file_of(exercise: Exercise) -> str:
    """Where an exercise's page is, from the root: "m1::e0" is "m1/e0.md"."""
    return exercise.id.replace("::", "/") + ".md"


def _section(section: Section, course: Course) -> str:
    built = page(section, course.everything)
    ids = {known.id for known in course.sections}
    title, _, rest = built.markdown.partition("\n")
    text = _DIRECTIVE.sub(lambda m: _directive(m[1], m[2], built), rest)
    text = _outside_code(text, lambda part: _linked(part, ids))
    dagger = f'<sup class="guide-author" title="measured on the author\'s machine">{MARK}</sup>'
    text = text.replace(MARK, dagger)
    todo = [e for e in course.exercises if e.section == section.id]
    text += "".join(f"\n\n👨‍💻 Exercise: [{e.id} {e.title}](../{file_of(e)})" for e in todo)
    foot = f"\n\n---\n\nIn a terminal: `guide read {section.id}`"
    if built.borrowed:
        foot += (
            f". {dagger} measured on the author's machine; read it in a terminal once for yours."
        )
    return f"{title}\n\n{_standing(built, ids)}\n{text}{foot}\n"


def _standing(built: Page, ids: set[str]) -> str:
    section = built.section
    parts = [f"<span>{section.id}</span>"]
    if section.tracks:
        parts.append(f"<span>🧬 {escape(', '.join(section.tracks))}</span>")
    for id, title in built.stands_on.items():
        name = f"{id}, {title}" if title else id
        link = f"[{name}]({_between(id)})" if id in ids else name
        parts.append(f"Stands on {link}")
    return " · ".join(parts) + "\n{: .guide-about }\n"


def _directive(kind: str, name: str, built: Page) -> str:
    if kind == "figure":
        return figure(built.figures[name], built.section.id)
    found = listing(name)
    return f'```python title="{found.name}, line {found.line}"\n{found.code}\n```'


def _outside_code(text: str, change: object) -> str:
    assert callable(change)
    parts = re.split(r"(^```.*?^```$|^<div.*?</div>$)", text, flags=re.S | re.M)
    parts[::2] = [str(change(part)) for part in parts[::2]]
    return "".join(parts)


def _linked(text: str, ids: set[str]) -> str:
    """Ids of sections become links to them."""
    parts = _KEPT.split(text)
    parts[::2] = [
        _ID.sub(lambda m: f"[{m[1]}]({_between(m[1])})" if m[1] in ids else m[1], part)
        for part in parts[::2]
    ]
    return "".join(parts)


def _between(id: str) -> str:
    return f"../{id}.md"  # every section lies in the folder of its module


def _exercise(exercise: Exercise) -> str:
    text = read_page(exercise.folder / "README.md")
    title, _, rest = text.partition("\n")
    # Its folder is not on the site: what it links to inside becomes its name.
    rest = re.sub(r"\[([^\]]+)\]\((?!https?://|#)[^)]*\)", r"`\1`", rest)
    if not title.startswith("# "):
        title, rest = f"# {exercise.title}", text
    about = f"👨‍💻 {exercise.id} · {_asked(exercise)}\n{{: .guide-about }}\n"
    foot = f"\n\n---\n\nBegin: `guide start {exercise.id}`. Then: `guide check {exercise.id}`"
    return f"{title}\n\n{about}\n{rest}{foot}\n"


def _asked(exercise: Exercise) -> str:
    of = [f"expected: {', '.join(exercise.expected)}"] if exercise.expected else []
    of += [f"invited: {', '.join(exercise.invited)}"] if exercise.invited else []
    return "; ".join(of) or "for whom you like"


def _home(course: Course) -> str:
    unread = [s for s in course.sections if s.id not in course.read]
    first = unread[0] if unread else course.sections[0]
    word = "Go on with" if course.read and unread else "Begin with"
    lines = [
        "# A performance guide that runs",
        "Time, memory and energy, on *your* machine. Read a section, predict a number, measure it, "
        "be wrong, find out why. Then build something that has a deadline.",
        f"[{word} {first.id}: {first.title}]({first.id}.md){{ .md-button .md-button--primary }}",
    ]
    if course.tracks:
        lines.append("## 🧬 " + ("Tracks" if len(course.tracks) > 1 else "Track"))
        lines += [f"**{track.title}** (`{track.name}`). {track.summary}" for track in course.tracks]
    for module, sections in _by_module(course):
        lines.append(f"## {module} {MODULES[module]}")
        rows = []
        for section in sections:
            tracks = f" 🧬 {', '.join(section.tracks)}" if section.tracks else ""
            done = " ✓" if section.id in course.read else ""
            rows.append(f"- [{section.id} {section.title}]({section.id}.md){tracks}{done}")
        lines.append("\n".join(rows))
    return "\n\n".join(lines) + "\n"


def _exercises(course: Course) -> str:
    rows = []
    for e in course.exercises:
        done = " ✓" if e.id in course.passed else ""
        rows.append(f"| [{e.id}]({file_of(e)}){done} | {e.title} | {_asked(e)} |")
    head = "| 👨‍💻 | what | who |\n| --- | --- | --- |\n"
    text = head + "\n".join(rows) if rows else "No exercise is installed."
    return f"# Exercises\n\nBegin one in a terminal: `guide start ID`.\n\n{text}\n"


def _progress(course: Course) -> str:
    read = [s for s in course.sections if s.id in course.read]
    passed = [e for e in course.exercises if e.id in course.passed]
    lines = [
        "# Progress",
        f"**{len(read)} of {len(course.sections)}** sections read and **{len(passed)} of "
        f"{len(course.exercises)}** exercises passed when this site was made. Nothing is locked: "
        "the order is advice.",
        "| module | sections read | of | exercises passed | of |\n"
        "| --- | ---: | ---: | ---: | ---: |",
    ]
    for module, sections in _by_module(course):
        todo = [e for e in course.exercises if e.id.startswith(f"{module}::")]
        counts = [sum(s.id in course.read for s in sections), len(sections)]
        counts += [sum(e.id in course.passed for e in todo), len(todo)]
        lines[-1] += f"\n| {module} {MODULES[module]} | {' | '.join(map(str, counts))} |"
    lines.append("The next ones, and how your predictions get better: `guide progress`.")
    return "\n\n".join(lines) + "\n"


def _by_module(course: Course) -> Iterator[tuple[str, list[Section]]]:
    for module in MODULES:
        found = [s for s in course.sections if s.id.startswith(f"{module}/")]
        if found:
            yield module, found


def _configuration(course: Course) -> str:
    quoted = partial(json.dumps, ensure_ascii=False)  # what JSON says, YAML understands
    nav = ["  - Home: index.md"]
    exercises = {e.id: e for e in course.exercises}
    for module, sections in _by_module(course):
        nav.append(f"  - {quoted(f'{module} {MODULES[module]}')}:")
        nav += [f"      - {quoted(f'{s.id[3:]} {s.title}')}: {s.id}.md" for s in sections]
        mine = [e for id, e in exercises.items() if id.startswith(f"{module}::")]
        nav += [f"      - {quoted(f'👨‍💻 {e.id[4:]} {e.title}')}: {file_of(e)}" for e in mine]
    shown = {module for module, _ in _by_module(course)}
    nav += [
        f"  - {quoted(f'👨‍💻 {e.id} {e.title}')}: {file_of(e)}"
        for e in course.exercises
        if e.id[:2] not in shown
    ]
    nav += ["  - Exercises: exercises.md", "  - Progress: progress.md"]
    template = Path(__file__).with_name("mkdocs.yml").read_text(encoding="utf-8")
    return template.rstrip() + "\nnav:\n" + "\n".join(nav) + "\n"


def _write(file: Path, text: str) -> None:
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text(text, encoding="utf-8")
