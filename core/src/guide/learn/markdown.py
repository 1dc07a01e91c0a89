"""The Markdown that sections are written in: a subset, and whatever is outside it is an error.

The same text is read in a terminal, by `guide site`'s builder and on the web pages of whoever
hosts the repository. What only one of them understands would be wrong in the others, so it is
refused here, with its line: HTML, images, headings that are underlined.

Two lines are ours: `{figure: NAME}` and `{listing: MODULE:FUNCTION}`, each alone in its
paragraph; and `{value: FIGURE.KEY}` within a sentence.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from typing import Literal

from guide.errors import GuideError


@dataclass(frozen=True, slots=True)
class Heading:
    """A heading; the page's title is of level 1."""

    level: int
    text: str


@dataclass(frozen=True, slots=True)
class Paragraph:
    """A paragraph, its lines joined."""

    text: str


@dataclass(frozen=True, slots=True)
class Code:
    """A block of code: between fences, or four spaces in."""

    language: str
    text: str


@dataclass(frozen=True, slots=True)
class Table:
    """A table: heads, rows, and of each column whether it is set to the right."""

    head: tuple[str, ...]
    rows: tuple[tuple[str, ...], ...]
    right: tuple[bool, ...]


@dataclass(frozen=True, slots=True)
class List:
    """A list; each item is blocks of its own. `first` is None where it is not numbered."""

    items: tuple[tuple[Block, ...], ...]
    first: int | None


@dataclass(frozen=True, slots=True)
class Quote:
    """What somebody else has said."""

    text: str


@dataclass(frozen=True, slots=True)
class Directive:
    """A living figure or a listing."""

    kind: Literal["figure", "listing"]
    name: str


Block = Heading | Paragraph | Code | Table | List | Quote | Directive


@dataclass(frozen=True, slots=True)
class Span:
    """A piece of a paragraph in one style: "", "bold", "italic", "code" or "link"."""

    text: str
    style: str = ""
    href: str = ""


VALUE = re.compile(r"\{value:\s+([a-z0-9-]+)\.([A-Za-z0-9_]+)\}")

_DIRECTIVE = re.compile(r"\{(figure|listing): (\S+)\}")
_FENCE = re.compile(r"```([\w-]*)")
_ITEM = re.compile(r"(?:[-*]|(\d+)\.) +(.*)")
_RULER = re.compile(r"\|?[\s|:-]*-[\s|:-]*\|[\s|:-]*")
_INLINE = re.compile(
    r"(?P<code>(?P<ticks>`+).+?(?P=ticks))"
    r"|\*\*(?P<bold>[^*]+?)\*\*"
    r"|(?<!\w)[*](?P<italic>[^*\s](?:[^*]*[^*\s])?)[*](?!\w)"
    r"|(?<!\w)_(?P<under>[^_\s](?:[^_]*[^_\s])?)_(?!\w)"
    r"|(?<!!)\[(?P<label>(?:[^\[\]`]|`[^`]*`)+)\]\((?P<href>[^()\s]*(?:\([^()\s]*\)[^()\s]*)*)\)"
    r"|<(?P<bare>https?://[^>\s]+)>"
    r"|\\(?P<escaped>[\\`*_{}\[\]<>()#+.!|-])"
)
_REFUSED = (
    (re.compile(r"!\[[^\]]*\]\("), "an image"),
    (re.compile(r"</?[A-Za-z][\w-]*(\s[^<>]*)?/?>"), "HTML"),
    (re.compile(r"(?<!\\)\*\*"), "bold that does not end"),
    (re.compile(r"`"), "code that does not end"),
    (re.compile(r"\]\("), "a link that does not end"),
    (re.compile(r"\]\["), "a link that is defined elsewhere"),
    (re.compile(r"\{(figure|listing)"), "a directive that is not alone in its paragraph"),
    (re.compile(r"\{[a-z]+: "), "a directive that does not exist"),
)


def parse(text: str) -> list[Block]:
    """The blocks of `text`.

    Raises:
        GuideError: at the first thing that is outside the subset; says which, and its line.
    """
    lines = text.expandtabs(4).splitlines()
    return list(_blocks(lines, 1))


def spans(text: str) -> list[Span]:
    """The pieces of a paragraph, a heading, a cell."""
    found, at = [], 0
    for match in _INLINE.finditer(text):
        if match.start() > at:
            found.append(Span(text[at : match.start()]))
        part = match.groupdict()
        if part["code"]:
            found.append(Span(part["code"].strip("`").strip(), "code"))
        elif part["bold"]:
            found.append(Span(_plain(part["bold"]), "bold"))
        elif part["italic"] or part["under"]:
            found.append(Span(_plain(part["italic"] or part["under"]), "italic"))
        elif part["label"]:
            found.append(Span(_plain(part["label"]), "link", part["href"]))
        elif part["bare"]:
            found.append(Span(part["bare"], "link", part["bare"]))
        else:
            found.append(Span(part["escaped"]))
        at = match.end()
    if at < len(text):
        found.append(Span(text[at:]))
    return found


def values(text: str, say: Callable[[str, str], str]) -> str:
    """`text` with what `say(figure, key)` says in place of each `{value: figure.key}`.

    Code between fences and ticks stays as it is.
    """
    parts = re.split(r"(^```.*?^```|`[^`\n]+`)", text, flags=re.S | re.M)
    parts[::2] = [VALUE.sub(lambda m: say(m[1], m[2]), part) for part in parts[::2]]
    return "".join(parts)


def _plain(text: str) -> str:
    return "".join(span.text for span in spans(text))


def _blocks(lines: Sequence[str], first: int) -> Iterator[Block]:
    i = 0
    while i < len(lines):
        line = lines[i]
        if not line.strip():
            i += 1
            continue
        end = i + 1
        if fence := _FENCE.fullmatch(line.rstrip()):
            while end < len(lines) and lines[end].rstrip() != "```":
                end += 1
            if end == len(lines):
                raise _refused("a fence that does not end", first + i)
            yield Code(fence[1], "\n".join(lines[i + 1 : end]))
            end += 1
        elif line.startswith("    "):
            while end < len(lines) and (lines[end].startswith("    ") or not lines[end].strip()):
                end += 1
            yield Code("", "\n".join(part[4:] for part in lines[i:end]).rstrip())
        elif heading := re.fullmatch(r"(#{1,4}) +(\S.*?)", line.rstrip()):
            yield Heading(len(heading[1]), _checked(heading[2], first + i))
        elif _ITEM.match(line):
            end = _end_of_list(lines, i)
            yield _list(lines[i:end], first + i)
        elif end < len(lines) and "|" in line and _RULER.fullmatch(lines[end].strip()):
            while end < len(lines) and "|" in lines[end]:
                end += 1
            yield _table(lines[i:end], first + i)
        else:
            while end < len(lines) and lines[end].strip() and not _starts(lines[end]):
                end += 1
            yield _paragraph([part.strip() for part in lines[i:end]], first + i)
        i = end


def _starts(line: str) -> bool:
    """Whether a line begins something by itself, without a blank one before it."""
    return line.startswith(("```", "# ", "## ", "### "))


def _paragraph(lines: Sequence[str], number: int) -> Block:
    if len(lines) == 1 and (found := _DIRECTIVE.fullmatch(lines[0])):
        return Directive("figure" if found[1] == "figure" else "listing", found[2])
    if lines[0].startswith(">"):
        text = " ".join(part.lstrip("> ") for part in lines)
        return Quote(_checked(text, number))
    for i, part in enumerate(lines):
        if re.fullmatch(r"=+|-+|\*\*\*+|___+", part):
            raise _refused("a heading that is underlined, or a rule", number + i)
        if re.match(r"\[[^\]]+\]: ", part):
            raise _refused("a link that is defined elsewhere", number + i)
        if i and re.match(r"[-*] ", part):  # Python-Markdown would make text of it
            raise _refused("a list without a blank line before it", number + i)
    return Paragraph(_checked(" ".join(lines), number))


def _end_of_list(lines: Sequence[str], i: int) -> int:
    """The line after a list: the first one that is neither an item nor indented under one."""
    end = i + 1
    while end < len(lines):
        line = lines[end]
        if line.strip() and not (line.startswith("  ") or _ITEM.match(line)):
            if not lines[end - 1].strip() or _starts(line):
                break
        elif not line.strip() and end + 1 < len(lines) and not lines[end + 1].strip():
            break
        end += 1
    while not lines[end - 1].strip():
        end -= 1
    return end


def _list(lines: Sequence[str], number: int) -> List:
    starts = [i for i, line in enumerate(lines) if _ITEM.match(line)]
    items = []
    for start, end in zip(starts, [*starts[1:], len(lines)], strict=True):
        match = _ITEM.match(lines[start])
        assert match
        lead, rest = [match[2]], list(lines[start + 1 : end])
        while rest and rest[0].strip() and not _ITEM.match(rest[0].strip()):
            lead.append(rest.pop(0).strip())
        if bool(match[1]) != lines[0][0].isdigit():  # elsewhere they would become one
            raise _refused("a list of another kind right after one", number + start)
        text = _checked(" ".join(lead), number + start)
        for i, line in enumerate(rest):
            if line.strip() and not line.startswith("    "):
                where = number + end - len(rest) + i
                raise _refused("something in a list that is not four spaces in", where)
        inner = _blocks([line[4:] for line in rest], number + end - len(rest))
        items.append((Paragraph(text), *inner))
    first = _ITEM.match(lines[0])
    assert first
    return List(tuple(items), int(first[1]) if first[1] else None)


def _table(lines: Sequence[str], number: int) -> Table:
    rows = [_cells(line, number + i) for i, line in enumerate(lines) if i != 1]
    right = tuple(mark.strip().endswith(":") for mark in _split(lines[1]))
    for i, row in enumerate(rows):
        if len(row) != len(right):
            raise _refused(f"a row of {len(row)} cells where {len(right)} are meant", number + i)
    return Table(rows[0], tuple(rows[1:]), right)


def _cells(line: str, number: int) -> tuple[str, ...]:
    return tuple(_checked(cell.strip(), number) for cell in _split(line))


def _split(line: str) -> list[str]:
    return re.split(r"(?<!\\)\|", line.strip().removeprefix("|").removesuffix("|"))


def _checked(text: str, number: int) -> str:
    """`text`, when all in it is understood; of what the subset has, nothing is left to refuse."""
    rest = VALUE.sub("", _INLINE.sub("", text))
    for pattern, what in _REFUSED:
        if pattern.search(rest):
            raise _refused(what, number)
    return text


def _refused(what: str, number: int) -> GuideError:
    remedy = "docs/extending.md says what a section is written in"
    return GuideError(f"line {number}: {what}", remedy)
