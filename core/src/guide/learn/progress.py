"""Where a learner stands in each exercise: computed from the log of attempts, never kept."""

from __future__ import annotations

import math
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Literal

State = Literal["new", "started", "wrong", "correct", "fast", "better"]

ORDER: tuple[State, ...] = ("new", "started", "wrong", "correct", "fast", "better")


@dataclass(frozen=True, slots=True)
class Guess:
    """A prediction beside what was measured."""

    key: str
    guessed: float
    measured: float | None = None

    @property
    def off(self) -> float | None:
        """By what factor it was off, always 1 or more; None when that cannot be said."""
        if self.measured is None or self.measured <= 0 or self.guessed <= 0:
            return None
        return max(self.guessed / self.measured, self.measured / self.guessed)


@dataclass(slots=True)
class Standing:
    """Where a learner stands in one exercise.

    Attributes:
        state: the best that was reached; "wrong" only while nothing better was.
        last: what the newest check said, which may also be "inconclusive" or "waived".
        passed: whether it was passed.
        skipped: set aside by the learner.
        revealed: the solution was looked at before the pass.
        stale: passed, and what is asked has changed since.
        hints: how many were taken.
        tries: how many checks there were.
        ratio: the best over naive.
        share: the best share of the reference.
        file: where the learner's file was last seen; "" when it was not.
        guesses: the predictions.
        at: when it was last touched.
    """

    state: State = "new"
    last: str = ""
    passed: bool = False
    skipped: bool = False
    revealed: bool = False
    stale: bool = False
    hints: int = 0
    tries: int = 0
    ratio: float = 0.0
    share: float = 0.0
    file: str = ""
    at: str = ""
    guesses: list[Guess] = field(default_factory=list)
    asked: str = ""  # the digest of what was asked when it was passed

    @property
    def flags(self) -> list[str]:
        """What else there is to say, in words."""
        said = [name for name in ("skipped", "revealed", "stale") if getattr(self, name)]
        return said + [self.last] * (self.last in ("inconclusive", "waived"))


def standings(
    entries: Iterable[Mapping[str, Any]], digests: Mapping[str, str] | None = None
) -> dict[str, Standing]:
    """Where the learner stands, by exercise id.

    Args:
        entries: the log, oldest first.
        digests: what each exercise asks today; a pass of something else is stale.
    """
    found: dict[str, Standing] = {}
    for entry in entries:
        one = found.setdefault(str(entry["id"]), Standing())
        one.at = str(entry["at"])
        if isinstance(entry.get("file"), str):
            one.file = entry["file"]
        _take(one, entry)
    for id, one in found.items():
        today = (digests or {}).get(id)
        one.stale = bool(one.passed and today and one.asked and today != one.asked)
    return found


def _take(one: Standing, entry: Mapping[str, Any]) -> None:
    did = entry["did"]
    if did == "start":
        one.skipped = False
        _rise(one, "started")
    elif did == "hint":
        one.hints = max(one.hints, int(_number(entry.get("level"))))
    elif did == "solution":
        one.revealed |= not one.passed
    elif did == "skip":
        one.skipped = bool(entry.get("on", True))
    elif did == "predict":
        one.guesses = [guess for guess in one.guesses if guess.key != entry.get("key")]
        one.guesses.append(Guess(str(entry.get("key")), _number(entry.get("guess"))))
    elif did == "check":
        _checked(one, entry)


def _checked(one: Standing, entry: Mapping[str, Any]) -> None:
    state = str(entry.get("state", ""))
    one.tries += 1
    one.last = state
    if entry.get("passed"):
        one.passed, one.skipped = True, False
        one.asked = str(entry.get("asked", ""))
    # A waived bar was not met: being right is what there is to show for it.
    _rise(one, "correct" if state in ("waived", "inconclusive") else state)
    one.ratio = max(one.ratio, _number(entry.get("ratio")))
    one.share = max(one.share, _number(entry.get("share")))
    measured = entry.get("measured")
    if isinstance(measured, dict):
        one.guesses = [
            Guess(guess.key, guess.guessed, _number(measured[guess.key]))
            if guess.key in measured and guess.measured is None
            else guess
            for guess in one.guesses
        ]


def _rise(one: Standing, state: str) -> None:
    if state in ORDER and ORDER.index(state) > ORDER.index(one.state):
        one.state = state


def _number(value: Any) -> float:
    good = isinstance(value, int | float) and math.isfinite(value)
    return float(value) if good else 0.0


def typical_off(guesses: Sequence[Guess]) -> float | None:
    """By what factor guesses are off, as their geometric mean; None without any."""
    each = [off for guess in guesses if (off := guess.off) is not None]
    return math.exp(sum(map(math.log, each)) / len(each)) if each else None
