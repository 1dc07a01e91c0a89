"""A page for a terminal, or plain for whatever stands at the other end of a pipe."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

import click

from guide.learn.cells import cut, width
from guide.learn.figures import draw
from guide.learn.listings import listing
from guide.learn.markdown import (
    Block,
    Code,
    Directive,
    Heading,
    List,
    Paragraph,
    Quote,
    Table,
    parse,
    spans,
)
from guide.learn.pages import MARK, Page, Shown
from guide.learn.textplot import plot
from guide.plugin import Section

_WIDEST = 84  # a line that is longer is hard to find one's way back from
_NOBODYS = Section("m0/s0", "", Path())
_STYLES: dict[str, dict[str, Any]] = {
    "": {},
    "bold": {"bold": True},
    "italic": {"italic": True},
    "code": {"fg": "cyan"},
    "link": {"underline": True},
    "address": {"dim": True},
    "quote": {"italic": True, "dim": True},
    "title": {"bold": True, "fg": "bright_white", "underline": True},
    "heading": {"bold": True, "fg": "cyan"},
    "soft": {"dim": True},
}
Word = tuple[str, str]


def render(page: Page, columns: int, *, color: bool, unicode: bool = True) -> str:
    """`page` as text, `columns` wide at most; without `color` it is plain."""
    return "\n".join(_Terminal(page, min(columns, _WIDEST), color, unicode).lines())


def render_text(text: str, columns: int, *, color: bool, unicode: bool = True) -> str:
    """Markdown that names no figure, such as the page of an exercise, as text for a terminal.

    Raises:
        GuideError: when it is not written as sections are; says which line.
    """
    shown = _Terminal(Page(_NOBODYS, parse(text)), min(columns, _WIDEST), color, unicode)
    lines: list[str] = []
    for block in shown.page.blocks:
        lines += [*([""] if lines else []), *shown.block(block, shown.columns)]
    return "\n".join(lines)


class _Terminal:
    def __init__(self, page: Page, columns: int, color: bool, unicode: bool) -> None:
        self.page, self.columns, self.color, self.unicode = page, columns, color, unicode

    def lines(self) -> Iterator[str]:
        for i, block in enumerate(self.page.blocks):
            if i:
                yield ""
            yield from self.block(block, self.columns)
            if not i:
                yield from self.standing()
        if self.page.borrowed:
            yield ""
            text = f"{MARK} measured on the author's machine. For yours: "
            command = f"guide read {self.page.section.id} --measure"
            yield from self.wrapped([*_words(text, "soft"), *_words(command, "code")], self.columns)

    def standing(self) -> Iterator[str]:
        """Whose it is and what it stands on, under the title."""
        section = self.page.section
        if section.tracks:
            yield self.style(f"🧬 {', '.join(section.tracks)}", "soft")
        for id, title in self.page.stands_on.items():
            text = f"Stands on {id}" + (f", {title}" if title else "")
            yield from self.wrapped(_words(text, "soft"), self.columns)

    def block(self, block: Block, room: int) -> Iterator[str]:
        match block:
            case Heading(level, text):
                # Plain text says by its # what colour says on a terminal.
                lead = "" if self.color else "#" * level + " "
                style = "title" if level == 1 else "heading"
                words = [*_words(lead, ""), *self.words(text, style)]
                yield from self.wrapped(words, room)
            case Paragraph(text):
                yield from self.wrapped(self.words(text), room)
            case Quote(text):
                bar = "│ " if self.unicode else "> "
                for line in self.wrapped(self.words(text, "quote"), room - 2):
                    yield bar + line
            case Code(_, text):
                yield from self.code(text, room)
            case List():
                yield from self.listed(block, room)
            case Table():
                yield from self.table(block, room)
            case Directive("listing", name):
                found = listing(name)
                yield self.style(f"{found.name}, line {found.line}", "soft")
                yield from self.code(found.code, room)
            case Directive(_, name):
                yield from self.figure(self.page.figures[name], room)

    def code(self, text: str, room: int) -> Iterator[str]:
        for line in text.splitlines():
            if not self.color:
                yield f"    {line}".rstrip()
                continue
            for part in cut(line, room - 4):
                yield "    " + self.style(part, "code")

    def listed(self, block: List, room: int) -> Iterator[str]:
        bullet = "•" if self.unicode and self.color else "-"
        for i, item in enumerate(block.items):
            lead = f"{bullet} " if block.first is None else f"{block.first + i}. "
            for j, part in enumerate(item):
                for k, line in enumerate(self.block(part, room - width(lead))):
                    yield (lead if not (j or k) else " " * width(lead)) + line

    def table(self, block: Table, room: int) -> Iterator[str]:
        rows = [[self.words(cell) for cell in row] for row in (block.head, *block.rows)]
        natural = [max(_length(row[i]) for row in rows) for i in range(len(block.head))]
        least = [
            max((width(w) for row in rows for w, _ in row[i]), default=0)
            for i in range(len(block.head))
        ]
        columns = _shared(natural, least, room - 2 * (len(natural) - 1))
        for i, row in enumerate(rows):
            shown = [
                list(self.wrapped(_styled(c, "bold") if not i else c, w))
                for c, w in zip(row, columns, strict=True)
            ]
            for k in range(max(map(len, shown))):
                parts = []
                for lines, w, right in zip(shown, columns, block.right, strict=True):
                    line = lines[k] if k < len(lines) else ""
                    gap = " " * max(w - width(click.unstyle(line)), 0)
                    parts.append(gap + line if right else line + gap)
                yield "  ".join(parts).rstrip()
            if not i:
                bar = "─" if self.unicode else "-"
                yield self.style("  ".join(bar * w for w in columns), "soft")

    def figure(self, shown: Shown, room: int) -> Iterator[str]:
        yield from self.wrapped(_words(shown.figure.title, "bold"), room)
        author = draw(shown.figure, shown.author)
        if shown.mine is None:
            yield from plot(author, None, room, self.unicode)
            text = f"On the author's machine: {shown.author.machine}."
            if shown.computed:
                text = "Computed, and the same on every machine."
        else:
            yield from plot(draw(shown.figure, shown.mine), author, room, self.unicode)
            text = (
                f"Yours: {shown.mine.machine}, measured {shown.mine.when[:10]}. "
                f"The author's: {shown.author.machine}."
            )
        yield from self.wrapped(_words(text, "soft"), room)

    def words(self, text: str, style: str = "") -> list[Word]:
        words: list[Word] = []
        for span in spans(text):
            said = span.text if self.color or span.style != "code" else f"`{span.text}`"
            more = _words(said, span.style or style)
            if span.style == "link" and span.href != span.text and not span.href.startswith("#"):
                # The address is what one can click on where the label is only text.
                more += [(" ", ""), (f"({span.href})", "address")]
            words += more
        return words

    def wrapped(self, words: Sequence[Word], room: int) -> Iterator[str]:
        """Words as lines; those that stick together stay together."""
        line: list[Word] = []
        used = 0
        for piece in _pieces(words):
            size = sum(width(text) for text, _ in piece)
            if line and used + 1 + size > room:
                yield self.joined(line)
                line, used = [], 0
            if line:
                line.append((" ", _between(line[-1][1], piece[0][1])))
                used += 1
            line += piece
            used += size
        yield self.joined(line)

    def joined(self, words: Sequence[Word]) -> str:
        parts: list[Word] = []
        for text, style in words:  # one change of colour for all that share it
            if parts and parts[-1][1] == style:
                parts[-1] = (parts[-1][0] + text, style)
            else:
                parts.append((text, style))
        return "".join(self.style(text, style) for text, style in parts)

    def style(self, text: str, style: str) -> str:
        return click.style(text, **_STYLES[style]) if self.color and style and text else text


def _words(text: str, style: str) -> list[Word]:
    """Words, and the spaces between and around them."""
    return [(word, style) for word in _split(text)]


def _split(text: str) -> Iterator[str]:
    if text[:1].isspace():
        yield " "
    for i, word in enumerate(text.split()):
        if i:
            yield " "
        yield word
    if text.strip() and text[-1:].isspace():
        yield " "


def _pieces(words: Sequence[Word]) -> Iterator[list[Word]]:
    """What must not be broken: the words between two spaces."""
    piece: list[Word] = []
    for word in words:
        if word[0] != " ":
            piece.append(word)
        elif piece:
            yield piece
            piece = []
    if piece:
        yield piece


def _between(before: str, after: str) -> str:
    return before if before == after else ""


def _styled(words: Sequence[Word], style: str) -> list[Word]:
    return [(text, old or style) for text, old in words]


def _length(words: Sequence[Word]) -> int:
    return sum(width(text) for text, _ in words)


def _shared(natural: Sequence[int], least: Sequence[int], room: int) -> list[int]:
    """How wide each column is: the widest give way first, none below its longest word."""
    columns = list(natural)
    while sum(columns) > room:
        loose = [i for i in range(len(columns)) if columns[i] > max(least[i], 4)]
        if not loose:
            break
        columns[max(loose, key=lambda i: columns[i])] -= 1
    return columns
