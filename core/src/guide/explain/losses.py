"""What a trace lacked or what of it had to be left out, counted, to be said in sentences."""

from __future__ import annotations

from collections import Counter

_SENTENCES = {  # (one, many), in the order in which they are said
    "cut": ("the file is cut short; this is what could be read", ""),
    "broken": ("the file is damaged from some place on; this is what came before", ""),
    "bomb": ("the file unpacks to far more than a trace would; reading stopped there", ""),
    "large": (
        "an entry larger than any event was left out",
        "{} entries larger than any event were left out",
    ),
    "damaged": ("a damaged entry was left out", "{} damaged entries were left out"),
    "timeless": (
        "an event without a usable time was left out",
        "{} events without a usable time were left out",
    ),
    "unmatched": (
        "an event that begins or ends only was left out",
        "{} events that begin or end only were left out",
    ),
    "far": (
        "an event far away in time was left out: a clock jumped",
        "{} events far away in time were left out: a clock jumped",
    ),
    "crowded": (
        "an event was left out: the steps hold too many",
        "{} events were left out: the steps hold too many",
    ),
    "nameless": (
        "a name was left out: the file holds more text than any trace",
        "{} names were left out: the file holds more text than any trace",
    ),
}


class Losses:
    """Counts, by kind, of what was lost on the way."""

    def __init__(self) -> None:
        self._counts: Counter[str] = Counter()
        self._said: list[str] = []

    def count(self, kind: str, times: int = 1) -> None:
        """Something of a kind was lost."""
        self._counts[kind] += times

    def say(self, sentence: str) -> None:
        """Something that is not counted."""
        self._said.append(sentence)

    def said_before(self, before: Losses) -> None:
        """Say first what was said when the same file was read for the first time."""
        self._said[:0] = before._said

    def __getitem__(self, kind: str) -> int:
        return self._counts[kind]

    def sentences(self) -> tuple[str, ...]:
        """All of it, in the same order whatever was found first."""
        counted = []
        for kind, (one, many) in _SENTENCES.items():
            count = self._counts[kind]
            if count:
                counted.append(many.format(f"{count:,}") if many and count > 1 else one)
        return (*self._said, *counted)
