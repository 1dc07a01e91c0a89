"""What an exercise's folder says of it: `exercise.toml`, read and checked."""

from __future__ import annotations

import hashlib
import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

from guide.errors import GuideError

KINDS = ("code", "counted", "realtime", "pen", "profile", "writing", "simple")


@dataclass(frozen=True, slots=True)
class Question:
    """A question and the rule that marks its answer.

    Attributes:
        key: what the answer is called in the learner's file.
        ask: the question.
        answer: the right one: a number, a text, or a list of texts that are all right; None for a
            prediction, which nobody marks.
        within: how far off a number may be, as a factor: 2.0 takes half to twice.
        unit: of a number.
        why: said once it is answered right.
        measured: for a prediction, the figure that answers it: "over_naive", "of_reference", or
            the name of a count.
    """

    key: str
    ask: str
    answer: Any = None
    within: float = 1.0
    unit: str = ""
    why: str = ""
    measured: str = "over_naive"


@dataclass(frozen=True, slots=True)
class Point:
    """What a text has to have: a heading, and below it so many words that name some things."""

    heading: str
    least: int = 10
    most: int = 400
    mentions: Sequence[str] = ()


@dataclass(frozen=True, slots=True)
class Bars:
    """When code is fast: never a time, always a ratio that was measured on this machine.

    Attributes:
        case: what the timed inputs are made of.
        over_naive: this many times as fast as naive.py will do; at most half of what was measured.
        of_reference: or this share of what solution.py reaches.
        effect_floor: where solution.py is not even this many times as fast as naive, this
            machine does not show the effect, and the bar is waived.
        rounds: fewest and most.
        budget_s: when the rounds end undecided.
        warmup: calls before the first round.
        calls: calls in a sample, each with an input of its own.
        cores: processors that solution.py keeps busy. Where it does not get them, a machine that
            is too busy must not look like one without the effect.
        tiers: multiples of naive to reach one after the other, shown and not asked for.
    """

    case: Any
    over_naive: float
    of_reference: float = 0.6
    effect_floor: float = 1.5
    rounds: tuple[int, int] = (9, 41)
    budget_s: float = 8.0
    warmup: int = 2
    calls: int = 1
    cores: int = 1
    tiers: Sequence[float] = ()


@dataclass(frozen=True, slots=True)
class Manifest:
    """An exercise as its author described it. Without an exercise.toml: a simple check."""

    folder: Path
    kind: str = "simple"
    rev: int = 1
    level: int = 1
    minutes: int = 15
    section: str = ""
    needs: Sequence[str] = ()
    entry: str = ""
    timeout_s: float = 20.0
    memory_mb: int = 2048
    threads: int = 1
    forbid: Sequence[str] = ()
    cases: Sequence[Any] = ()
    bars: Bars | None = None
    most: Mapping[str, float] = field(default_factory=dict)  # a count or figure, at most
    least: Mapping[str, float] = field(default_factory=dict)
    predict: Sequence[Question] = ()
    questions: Sequence[Question] = ()
    points: Sequence[Point] = ()
    mutates: bool = False
    picture: bool = False

    @property
    def suffix(self) -> str:
        """Of the learner's file."""
        return ".toml" if self.questions else ".md" if self.points else ".py"

    @property
    def starter(self) -> Path:
        """What `guide start` copies."""
        return self.folder / f"starter{self.suffix}"

    @property
    def naive(self) -> Path:
        """Right and slow, what "fast" is measured against: naive.py, or without it the starter."""
        file = self.folder / f"naive{self.suffix}"
        return file if file.is_file() else self.starter

    @property
    def solution(self) -> Path:
        """The author's own."""
        return self.folder / f"solution{self.suffix}"

    @property
    def digest(self) -> str:
        """Changes when what is asked changes, so that a pass of before says so."""
        asked = hashlib.sha256()
        files = {name: self.folder / name for name in ("exercise.toml", "check.py")}
        if self.bars:
            files["naive.py"] = self.naive
        for name, file in files.items():
            if file.is_file():
                asked.update(name.encode() + file.read_bytes().replace(b"\r\n", b"\n"))
        return asked.hexdigest()[:12]


def read_manifest(folder: Path) -> Manifest:
    """The manifest in `folder`.

    Raises:
        GuideError: when exercise.toml is not as it should be; its author reads this.
    """
    file = folder / "exercise.toml"
    if not file.is_file():
        return Manifest(folder)
    try:
        said = tomllib.loads(file.read_text(encoding="utf-8"))
        return _manifest(folder, said)
    except (tomllib.TOMLDecodeError, TypeError, ValueError, KeyError) as error:
        raise GuideError(f"{file}: {error}", "mend it, or tell its author") from None


def _manifest(folder: Path, said: dict[str, Any]) -> Manifest:
    kind = said.get("kind", "simple")
    if kind not in KINDS:
        raise ValueError(f"kind is one of {', '.join(KINDS)}, not {kind!r}")
    plain = {k: said[k] for k in ("rev", "level", "minutes", "section", "needs") if k in said}
    run = dict(said.get("run", {}))
    cases = said.get("cases", {})
    bars = None
    if "perf" in said:
        perf = dict(said["perf"])
        if "rounds" in perf:
            perf["rounds"] = tuple(perf["rounds"])
        bars = Bars(case=cases["perf"], **perf)
    return Manifest(
        folder=folder,
        kind=kind,
        **plain,
        **run,
        cases=cases.get("check", ()),
        bars=bars,
        most=said.get("most", {}),
        least=said.get("least", {}),
        predict=tuple(Question(**one) for one in said.get("predict", ())),
        questions=tuple(Question(**one) for one in said.get("questions", ())),
        points=tuple(Point(**one) for one in said.get("points", ())),
    )
