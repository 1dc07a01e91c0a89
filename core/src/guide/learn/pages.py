"""A section put together for a reader: its blocks, its living figures, the numbers in its text."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field

from guide.errors import GuideError
from guide.learn import figures as living
from guide.learn.contents import read_page
from guide.learn.figures import Measured
from guide.learn.listings import listing
from guide.learn.markdown import (
    Block,
    Code,
    Directive,
    Heading,
    List,
    Paragraph,
    Quote,
    Span,
    Table,
    parse,
    spans,
    values,
)
from guide.plugin import Figure, Section

MARK = "†"
"""Behind a number that is the author's, for want of the reader's own."""


@dataclass(frozen=True, slots=True)
class Shown:
    """A figure with what was measured: `mine` is None until it was measured here."""

    figure: Figure
    author: Measured
    mine: Measured | None

    @property
    def computed(self) -> bool:
        """Whether it is the same on every machine."""
        return bool(self.author.data.get("computed"))


@dataclass(slots=True)
class Page:
    """A section that can be shown.

    Attributes:
        section: whose it is.
        blocks: what stands on it, values filled in.
        markdown: the same as text, values filled in, directives left as they are.
        figures: those that it names, by name.
        stands_on: titles of the sections it stands on, by id.
        borrowed: whether a number in its text is the author's.
    """

    section: Section
    blocks: Sequence[Block] = ()
    markdown: str = ""
    figures: dict[str, Shown] = field(default_factory=dict)
    stands_on: dict[str, str] = field(default_factory=dict)
    borrowed: bool = False


def named_figures(section: Section, sections: Sequence[Section]) -> list[Figure]:
    """The figures that `section` shows or takes a number from, in order.

    Raises:
        GuideError: when it names one that nobody brings, or is not written as sections are.
    """
    known = living.figures_of(list(sections))
    text = read_page(section.file)
    names: list[str] = []

    def note(name: str, key: str) -> str:
        names.append(name)
        return ""

    values(text, note)
    shown = [b.name for b in _parsed(section, text) if isinstance(b, Directive)]
    names = [*(n for n in shown if ":" not in n), *names]
    for name in names:
        if name not in known:
            raise GuideError(f"{section.id} names the figure {name!r}, which nobody brings")
    return [known[name] for name in dict.fromkeys(names)]


def page(section: Section, sections: Sequence[Section], mine: bool = True) -> Page:
    """`section` as it is to be read; `sections` are all there are.

    Args:
        section: the section.
        sections: where the figures come from, and the titles of those it stands on.
        mine: take what was measured on this machine, where something was.

    Raises:
        GuideError: when it cannot be shown whole: a figure, a value, a listing that is not there.
    """
    titles = {known.id: known.title for known in sections}
    built = Page(section, stands_on={id: titles.get(id, "") for id in section.stands_on})
    for figure in named_figures(section, sections):
        author = living.example(figure)
        own = living.kept(figure) if mine and not author.data.get("computed") else None
        built.figures[figure.name] = Shown(figure, author, own)

    def say(name: str, key: str) -> str:
        shown = built.figures[name]
        if shown.mine is not None and key in shown.mine.data.get("values", {}):
            return living.value(shown.figure, shown.mine, key)
        text = living.value(shown.figure, shown.author, key)
        if shown.computed:
            return text
        built.borrowed = True
        return text + MARK

    built.markdown = values(read_page(section.file), say)
    built.blocks = _parsed(section, built.markdown)
    return built


def check(section: Section, sections: Sequence[Section]) -> None:
    """Whether a section can be shown, here and on a site, with nothing measured.

    Raises:
        GuideError: at the first thing that is wrong, with the section and its file.
    """
    ids = {known.id for known in sections}
    built = page(section, sections, mine=False)
    for id in section.stands_on:
        if id not in ids:
            raise GuideError(f"{section.id} stands on {id}, which is not there")
    for block in built.blocks:
        if isinstance(block, Directive) and block.kind == "listing":
            listing(block.name)
        elif isinstance(block, Directive):
            shown = built.figures[block.name]
            living.draw(shown.figure, shown.author)
    for link in links(built.blocks):
        if not link.href.startswith(("https://", "http://", "#")):
            message = f"{section.file}: a link to {link.href!r} leads nowhere in a terminal"
            raise GuideError(message, "name a section by its id: m1/s0")


def links(blocks: Sequence[Block]) -> Iterator[Span]:
    """Every link on a page."""
    for text in _texts(blocks):
        yield from (span for span in spans(text) if span.style == "link")


def _texts(blocks: Sequence[Block]) -> Iterator[str]:
    for block in blocks:
        match block:
            case Heading(_, text) | Paragraph(text) | Quote(text):
                yield text
            case List(items, _):
                for item in items:
                    yield from _texts(item)
            case Table(head, rows, _):
                yield from head
                for row in rows:
                    yield from row
            case Code() | Directive():
                pass


def _parsed(section: Section, text: str) -> list[Block]:
    try:
        return parse(text)
    except GuideError as error:
        raise GuideError(f"{section.file}: {error.message}", error.remedy) from None
