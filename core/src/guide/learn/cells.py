"""How many cells of a terminal a text takes, and how it is broken into lines of so many."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterator

_JOINER = "\u200d"  # what makes one picture of several: a person and a laptop
_AS_PICTURE = "\ufe0f"


def width(text: str) -> int:
    """The cells that `text` takes: two for an emoji or an East Asian wide character.

    >>> width("m1 🧬"), width("👨‍💻"), width("é")
    (5, 2, 1)
    """
    return sum(size for _, size in clusters(text))


def clusters(text: str) -> Iterator[tuple[str, int]]:
    """What a terminal draws as one, each with its width."""
    held, size, joined = "", 0, False
    for c in text:
        category = unicodedata.category(c)
        if held and (joined or category in ("Mn", "Me", "Cf")):
            held += c
            size = 2 if c == _AS_PICTURE else size
        else:
            if held:
                yield held, size
            held, size = c, _alone(c, category)
        joined = c == _JOINER
    if held:
        yield held, size


def _alone(c: str, category: str) -> int:
    if category in ("Mn", "Me", "Cf", "Cc"):
        return 0
    return 2 if unicodedata.east_asian_width(c) in "WF" else 1


def pad(text: str, cells: int) -> str:
    """`text` with spaces after it, up to `cells`."""
    return text + " " * (cells - width(text))


def cut(line: str, cells: int) -> list[str]:
    """A line of code in pieces of at most `cells`: at a space where there is one to break at.

    What follows the first piece is indented as the line is, and by four more.
    """
    pieces, indent = [], " " * (len(line) - len(line.lstrip()) + 4)
    indent = indent if len(indent) < cells // 2 else ""
    while width(line) > cells:
        end, used = 0, 0
        for cluster, size in clusters(line):
            if used + size > cells and end:
                break
            end, used = end + len(cluster), used + size
        space = line.rfind(" ", len(indent) + 1, end)
        end = space if space > end // 2 else end
        pieces.append(line[:end])
        line = indent + line[end:].lstrip()
    return [*pieces, line]
