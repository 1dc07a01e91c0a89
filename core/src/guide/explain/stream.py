"""JSON as a stream: its top-level entries one by one, the events of a trace in batches.

No more than a few blocks are in memory, whatever the file: what is larger than any event is skipped
over, what is damaged is left out where its end can be told, and reading goes on behind it.

https://docs.google.com/document/d/1CvAClvFfyA5R-PhYUmn5OOQtYMH4h6I0nSsKchNAySU
"""

from __future__ import annotations

import json
import re
import sys
from collections.abc import Iterator
from typing import Any, Final

from guide.explain.losses import Losses

_LARGEST = 1 << 20  # characters of one event, or of one thing that a file says of itself
_GIVE_UP = 1 << 23  # characters of one that is skipped over
_DEEPEST = 10_000  # brackets
_ASTRAY = 50  # times that an end was looked for and not found
_JUNK = 100_000  # things that are no events among them, and entries beside them
_BATCH = 1 << 18  # larger ones leave the processor's cache
_ONE = 1 << 9

_BLANK = re.compile(r"[ \t\r\n]*")
_STRUCTURE = re.compile(r'["\[\]{}]')
_IN_STRING = re.compile(r'["\\]')
_SCALAR_END = re.compile(r"[ \t\r\n,\]}\[{]")
_NEXT = re.compile(r'\}\s*,\s*\{\s*"(?:ph|name|cat|pid|tid|ts|dur|id|args)"\s*:')
_EVENTS = re.compile(r'"traceEvents"\s*:\s*\[')
_ESCAPE = re.compile(r'\\(["\\/bfnrt]|u[0-9a-fA-F]{4})|\\')

# Numbers with decimals stay text: a float of the microseconds since 1970 has lost its nanoseconds
_EVENT = json.JSONDecoder(parse_float=str, strict=False)
_ABOUT = json.JSONDecoder(strict=False)


class Lost:
    """Stands for a value that was left out."""


LOST: Final = Lost()


class NotJSONError(Exception):
    """The text begins like no JSON."""


class _StopError(Exception):
    """No going on: too damaged, or made to harm."""


def entries(blocks: Iterator[str], losses: Losses) -> Iterator[tuple[str | None, Any]]:
    """A file's top-level entries by key; events, of "traceEvents" or bare, as lists without one.

    A value that had to be left out is `LOST`. Events have their numbers with decimals as text.

    Raises:
        NotJSONError: when it begins like none.
    """
    text = _Text(blocks, losses)
    first = text.mark()
    if first not in ("{", "["):
        raise NotJSONError
    text.at += 1
    try:
        if first == "[":
            yield from text.events()
            return
        seen, count = False, 0
        while (mark := text.mark()) != "}":
            if mark == "":
                losses.count("cut")
                return
            if mark == ",":
                text.at += 1
                continue
            count += 1
            if count > _JUNK:
                raise _StopError("bomb")
            try:
                key = text.value(_ABOUT)
                if not isinstance(key, str) or text.mark() != ":":
                    raise _StopError("broken" if text.mark() else "cut")
                text.at += 1
                if text.mark() != "[" or key != "traceEvents":
                    yield key, text.value(_ABOUT)
                    continue
                text.at += 1
            except _StopError:
                # What it says of itself is damaged; the events may not be
                if seen or not text.seek(_EVENTS):
                    raise
                losses.count("damaged")
            seen = True
            yield from text.events()
    except _StopError as stop:
        losses.count(str(stop))


class _Text:
    """A window that moves over text; what lies before `at` is done with."""

    def __init__(self, blocks: Iterator[str], losses: Losses) -> None:
        self._blocks = blocks
        self._losses = losses
        self._buffer = ""
        self._reach = _BATCH  # how much text to decode at once
        self._astray = self._junk = 0
        self.at = 0

    def mark(self) -> str:
        """The next character that is not blank; "" at the end."""
        blank = 0
        while True:
            found = _BLANK.match(self._buffer, self.at)
            self.at = found.end() if found else self.at
            if self.at < len(self._buffer):
                return self._buffer[self.at]
            blank += len(self._buffer)
            if blank > _GIVE_UP:
                raise _StopError("bomb")
            if not self._more():
                return ""

    def events(self) -> Iterator[tuple[None, list[Any]]]:
        """Of an array that was just opened, its elements, many at a time."""
        while (mark := self.mark()) != "]":
            if mark == "":
                self._losses.count("cut")
                return
            if mark == ",":
                self.at += 1
                continue
            batch = self._batch()
            if batch is None:
                value = self.value(_EVENT)
                batch = [] if value is LOST else [value]
                self._junk += not isinstance(value, dict)
                if self._junk > _JUNK:
                    raise _StopError("broken")
            yield None, batch
        self.at += 1

    def value(self, decoder: json.JSONDecoder) -> Any:
        """The value that begins here; LOST when it is damaged, or larger than any."""
        begins = self.mark()
        if not begins:
            raise _StopError("cut")
        if begins in ",:}]":
            self.at += 1
            self._losses.count("damaged")
            return LOST
        if begins in '{["':
            try:
                value, self.at = decoder.raw_decode(self._buffer, self.at)
                return value
            except (ValueError, RecursionError):
                pass
            length = self._length()
        else:
            length = self._scalar()
        if length is not None:
            whole = self._buffer[self.at : self.at + length]
            for text in (whole, _ESCAPE.sub(_escaped, whole)):
                try:
                    value = decoder.decode(text)
                except (ValueError, RecursionError):
                    continue
                self.at += length
                return value
        end = None if length is None else self.at + length
        another = (_NEXT if decoder is _EVENT else _EVENTS).search(
            self._buffer, self.at, sys.maxsize if end is None else end
        )
        if another:
            # A quote too few, say: brackets lead astray, and what is next is where it looks so
            self._astray += end is None
            if self._astray > _ASTRAY:
                raise _StopError("broken")
            self.at = another.start() + (decoder is _EVENT)
            self._losses.count("damaged")
        elif end is not None:
            self.at = end
            self._losses.count("damaged")
        else:
            self._skip()
            self._losses.count("large")
        return LOST

    def seek(self, pattern: re.Pattern[str]) -> bool:
        """Go on behind what matches; False when nothing does."""
        gone = 0
        while (found := pattern.search(self._buffer, self.at)) is None:
            # Of what is left the end may be the beginning of it
            gone += max(len(self._buffer) - self.at - 64, 0)
            self.at = max(len(self._buffer) - 64, self.at)
            if gone > _GIVE_UP or not self._more():
                return False
        self.at = found.end()
        return True

    def _batch(self) -> list[Any] | None:
        """Some whole events, at times none; None where they have to be looked at one by one."""
        while len(self._buffer) - self.at < self._reach and self._more():
            pass
        if self._reach <= _ONE:
            self._reach = 4 * _ONE
            return None
        cut = self._cut(self.at + self._reach)
        if cut > 0:
            try:
                found: list[Any] = _EVENT.decode(f"[{self._buffer[self.at : cut]}]")
            except (ValueError, RecursionError):
                pass
            else:
                self.at = cut
                self._reach = min(2 * self._reach, _BATCH)
                return found
        # Something in it is damaged, or it is the last: less and less, so that most is not in vain
        self._reach //= 4
        return []

    def _cut(self, before: int) -> int:
        """Where an event seems to end that another follows: behind the last `}` of `}, {`."""
        buffer, end = self._buffer, min(before, len(self._buffer))
        for _ in range(16):
            end = buffer.rfind("{", self.at + 1, end)
            if end < 0:
                return -1
            start = max(self.at, end - 64)
            head = buffer[start:end].rstrip()
            if head.endswith(",") and (body := head[:-1].rstrip()).endswith("}"):
                return start + len(body)
        return -1

    def _scalar(self) -> int | None:
        """The length of a number or a word, or of what stands where one should; None: too long."""
        length = 0
        while (found := _SCALAR_END.search(self._buffer, self.at + length)) is None:
            length = len(self._buffer) - self.at
            if length > _LARGEST:
                return None
            if not self._more():
                return length
        return found.start() - self.at

    def _length(self) -> int | None:
        """The length of a value by its brackets alone, damaged or not; None: it does not end."""
        brackets = _Brackets()
        while (end := brackets.end(self._buffer, self.at)) is None:
            if len(self._buffer) - self.at > _LARGEST or not self._more():
                return None
        return end - self.at

    def _skip(self) -> None:
        """Go on behind a value that is too long to be kept."""
        brackets, gone = _Brackets(), 0
        while (end := brackets.end(self._buffer, self.at)) is None:
            gone += len(self._buffer) - self.at
            if gone > _GIVE_UP or brackets.depth > _DEEPEST:
                raise _StopError("bomb")
            brackets.begun -= len(self._buffer) - self.at
            self.at = len(self._buffer)
            if not self._more():
                raise _StopError("cut")
        self.at = end

    def _more(self) -> bool:
        """Bring in another block; what lies before `at` goes."""
        block = next((block for block in self._blocks if block), "")
        self._buffer, self.at = self._buffer[self.at :] + block, 0
        return bool(block)


class _Brackets:
    """Finds where a value ends, by brackets and quotes alone, in a text that grows.

    Attributes:
        begun: how far it has looked, from where the value begins.
        depth: of brackets.
    """

    def __init__(self) -> None:
        self.begun = self.depth = 0
        self._quoted = False

    def end(self, text: str, start: int) -> int | None:
        """The index behind the value that begins at `start`; None: not in this text."""
        at = start + self.begun
        while found := (_IN_STRING if self._quoted else _STRUCTURE).search(text, at):
            mark, at = found.group(), found.end()
            if self._quoted and mark == "\\":
                at += 1  # past what it escapes
            elif mark == '"':
                self._quoted = not self._quoted
            elif mark in "[{":
                self.depth += 1
                if self.depth > _DEEPEST:
                    break
            else:
                self.depth -= 1
            if self.depth <= 0 and not self._quoted:
                return at
        self.begun = max(at, len(text)) - start
        return None


def _escaped(found: re.Match[str]) -> str:
    """A backslash that escapes nothing, as in an unescaped path of Windows, made to stand."""
    return found.group() if found.group(1) else r"\\"
