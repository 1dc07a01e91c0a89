"""What a plugin imports: the hook marker and the data that hooks return.

    from guide.plugin import Track, hookimpl

    GUIDE_API = 1

    @hookimpl
    def guide_tracks():
        return [Track("audio", "Audio", "Blocks of sound, on time.")]

Everything here is plain, frozen data. Whatever is heavy is named by `"package.module:attribute"`
and imported only when it is used, so that listing plugins stays instant.
"""

from __future__ import annotations

import importlib
import re
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Literal

import pluggy

GUIDE_API = 1
"""The version of the hooks and of the classes below; a plugin module states the one it speaks."""

hookimpl = pluggy.HookimplMarker("guide")

_TRACK = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")
_TEMPLATE = _TRACK
_SECTION = re.compile(r"m[0-6]/s\d+")
_EXERCISE = re.compile(r"m[0-6]::e\d+")
_FIGURE = re.compile(r"[a-z][a-z0-9]*(-[a-z0-9]+)*")


def _require(pattern: re.Pattern[str], value: str, what: str, example: str) -> None:
    if not pattern.fullmatch(value):
        raise ValueError(f"{what} is written like {example}, not {value!r}")


@dataclass(frozen=True, slots=True)
class Track:
    """A specialization. `name` is what a person types: lower case, words joined by a hyphen."""

    name: str
    title: str
    summary: str

    def __post_init__(self) -> None:
        _require(_TRACK, self.name, "a track's name", "deep-learning")


@dataclass(frozen=True, slots=True)
class Figure:
    """A living figure: measured on the machine of whoever reads it, drawn beside the author's.

    A section brings it in `Section.figures`; a line `{figure: NAME}` puts it on the page, and
    `{value: NAME.KEY}` one of its numbers into a sentence. Any section may name any other's.

    Attributes:
        name: what a section calls it, such as "latency-curve".
        title: what it shows, in a few words.
        measure: `"package.module:attribute"`, called as `measure(quick=False)`. It takes under
            3 s (a fraction of that when `quick`) and returns what it found as plain data for
            JSON. Its "values" are the numbers that text may name; a name ends in its unit:
            "memory_ns", "copy_gbs", "speedup_x". With "computed": True it is the same on every
            machine, and shown once. GuideError says why it cannot be measured here.
        draw: `"package.module:attribute"`, called with that data; returns a `guide.learn.chart`.
        example: a JSON file, what was measured on the author's machine. `guide read SECTION
            --write-examples` writes it.
    """

    name: str
    title: str
    measure: str
    draw: str
    example: Path

    def __post_init__(self) -> None:
        _require(_FIGURE, self.name, "a figure's name", "latency-curve")


@dataclass(frozen=True, slots=True)
class Section:
    """A section to read: a Markdown file, and the tracks it is for (none: it is common).

    `stands_on` are the sections that it takes as known; nothing is locked by it. `figures` are
    the living figures that it brings.
    """

    id: str  # "m1/s0"
    title: str
    file: Path
    tracks: tuple[str, ...] = ()
    stands_on: tuple[str, ...] = ()
    figures: tuple[Figure, ...] = ()

    def __post_init__(self) -> None:
        _require(_SECTION, self.id, "a section's id", "m1/s0")
        for id in self.stands_on:
            _require(_SECTION, id, "a section's id", "m1/s0")


@dataclass(frozen=True, slots=True)
class Exercise:
    """An exercise: a folder with README.md, starter.py, solution.py and check.py.

    In the simple form `check.py` has one function, `check(attempt)`, which is handed the imported
    starter or solution and raises AssertionError with a sentence for the learner when it is not
    right yet. With an `exercise.toml` it can be judged for its speed too, be answered in words or
    be counted: see docs/exercises.md, and `Exercise.of`, which reads id and title from there.
    The page of `section` names it at its end.
    """

    id: str  # "m1::e0"
    title: str
    folder: Path
    expected: tuple[str, ...] = ()  # tracks that are expected to do it
    invited: tuple[str, ...] = ()  # tracks that are invited to
    section: str = ""  # "m1/s0", what it belongs to

    def __post_init__(self) -> None:
        _require(_EXERCISE, self.id, "an exercise's id", "m1::e0")
        if self.section:
            _require(_SECTION, self.section, "a section's id", "m1/s0")

    @classmethod
    def of(cls, folder: Path) -> Exercise:
        """The exercise in `folder`, as its exercise.toml names it.

        Raises:
            ValueError: when id or title is missing, or the file is no TOML.
            OSError: when there is none.
        """
        import tomllib

        said = tomllib.loads((folder / "exercise.toml").read_text(encoding="utf-8"))
        if not {"id", "title"} <= said.keys():
            raise ValueError(f"{folder / 'exercise.toml'} gives no id or no title")
        for_whom = {key: tuple(said.get(key, ())) for key in ("expected", "invited")}
        section = str(said.get("section", "")).partition("#")[0]
        return cls(said["id"], said["title"], folder, section=section, **for_whom)


@dataclass(frozen=True, slots=True)
class Scaffold:
    """A working m6 project to start from: a folder that holds the package `guide_project`.

    Attributes:
        track: whose it is.
        title: what it is, in a few words.
        summary: what it does, in a sentence.
        folder: its files.
        name: what is typed after `guide new-project --template`; one word for each of a track's.
        over: the folder of another project that `folder` is laid over, for one that differs from
            it in a few files: those alone are in `folder`, and take the place of their namesakes.
    """

    track: str
    title: str
    summary: str
    folder: Path
    name: str = "plain"
    over: Path | None = None

    def __post_init__(self) -> None:
        _require(_TEMPLATE, self.name, "a template's name", "slow")

    @property
    def layers(self) -> tuple[Path, ...]:
        """The folders it is copied from, in this order."""
        return (self.folder,) if self.over is None else (self.over, self.folder)


@dataclass(frozen=True, slots=True)
class MeterSpec:
    """A meter by name: `factory` is `"package.module:attribute"`, called without arguments."""

    name: str
    factory: str


@dataclass(frozen=True, slots=True)
class Finding:
    """One line of `guide doctor`.

    `status` is "ok"; "note" for something worth knowing, such as a part that is absent and not
    needed; "problem" for something that will not work, and then `remedy` says what to type.
    """

    name: str
    status: Literal["ok", "note", "problem"]
    detail: str
    remedy: str = ""


@dataclass(frozen=True, slots=True)
class WarmUp:
    """Something that is slow once and quick ever after, such as compiling.

    `run` is `"package.module:attribute"`, called without arguments by `guide warm`: it does it and
    returns the folder it is kept in, as a string.
    """

    name: str
    run: str


@dataclass(frozen=True, slots=True)
class Place:
    """A line of source that a verdict points at; `line` 0: the file as a whole."""

    file: str
    line: int = 0
    text: str = ""  # the line itself, or what it does

    def __str__(self) -> str:
        return f"{self.file}:{self.line}" if self.line else self.file


@dataclass(frozen=True, slots=True)
class Word:
    """A word of the trade that a verdict hinges on, explained in one line."""

    name: str  # "DtoH memcpy"
    means: str


@dataclass(frozen=True, slots=True)
class Pin:
    """A stretch of the timeline that a verdict is about; times are those of the trace."""

    start_ns: int
    end_ns: int
    lane: str = ""  # the thread or stream it lies on; "": all of them


@dataclass(frozen=True, slots=True)
class Verdict:
    """What a rule found: what costs, why, where, what to try, and what that would give back.

    Verdicts are ranked by `recoverable_ns`: wall time, never a sum of durations. One that gives
    nothing back says of something that looks bad that it is not worth mending; it is shown after
    the others, in one line.

    Attributes:
        title: what it is, in few words: "waiting for data".
        says: one sentence with its figures: what dominates.
        recoverable_ns: wall time of one step (tick, call) that would be gone if it were mended.
        why: how it comes about, in plain words.
        remedy: what to change, or to type.
        check: how to see that this was it.
        sure: how sure that is: "sure" it was measured, "likely" it is the usual reason,
            "perhaps" others fit as well.
        where: lines of source, the likeliest first.
        evidence: figures it rests on, each a name and a value with its unit.
        word: the word it hinges on.
        teaches: ids of the sections and exercises that teach it: "m2/s3", "m2::e4".
        pins: where it shows on the timeline.
        pressing: it does harm beside the time it costs, which may be none: memory that fills,
            frames that are lost. Such a one is worth mending whatever it gives back.
        at_most: what it would give back is a bound, not measured nor tried: less may come of it.
        machine: it speaks of the machine as it was meanwhile, not of the program: what other
            programs took, say. Nobody mends that here, so it is a remark above the others, is not
            ranked, and nothing is promised of it.
    """

    title: str
    says: str
    recoverable_ns: int = 0
    why: str = ""
    remedy: str = ""
    check: str = ""
    sure: Literal["sure", "likely", "perhaps"] = "likely"
    where: tuple[Place, ...] = ()
    evidence: tuple[tuple[str, str], ...] = ()
    word: Word | None = None
    teaches: tuple[str, ...] = ()
    pins: tuple[Pin, ...] = ()
    pressing: bool = False
    at_most: bool = False
    machine: bool = False

    def __str__(self) -> str:
        return f"{self.says} {self.remedy}".strip()


@dataclass(frozen=True, slots=True)
class Diagnosis:
    """A rule that explains something measured.

    `rule` names a callable. What it takes is said by `reads`:

    - "run": a run's record (the content of run.json). What it finds stands in the run's report,
      and `guide explain RUN` shows it.
    - "trace": a `guide.explain.trace.Trace`, which `guide explain FILE` has read.

    It returns what it found, a list of `Verdict`; or of plain sentences, worst first.

    `noted`: whether what it finds in a run stands among the notes of the run's report, too; not
    where the report shows it anyway. `guide explain RUN` says it either way.
    """

    name: str
    rule: str
    reads: Literal["run", "trace"] = "run"
    noted: bool = True


@dataclass(frozen=True, slots=True)
class Profiler:
    """What takes a trace of another library's work, such as torch's, for `guide profile`.

    Attributes:
        name: the library, "torch".
        track: the track whose projects it is for.
        task: `"package.module:attribute"`, called as `wrap(task, folder, warm=, steps=)`: returns
            a Task that does what `task` does and stops the run once a trace of `steps` steps,
            taken after `warm` others, lies in `folder` as torch.json.gz. `warm` is None where that
            is left to it.
        program: a module that runs somebody's Python program under it:
            `python -m MODULE --out FILE --steps N --patience S [--warm N] [--to-the-end] [--module]
            -- SCRIPT ARGUMENTS`. Without a trace it exits with 64 and the number of steps it saw,
            50 at most, added; with 4 when it could not write, with 130 after Ctrl-C, and with 1
            when the program failed. Of a program without a step it may leave in FILE.samples what
            `guide.explain.whole.WholeProgram` has seen.
    """

    name: str
    track: str
    task: str
    program: str


def load(name: str) -> Any:
    """Import what `"package.module:attribute"` names.

    Raises:
        ValueError: when it is not of that form.
        ImportError, AttributeError: when there is no such thing.
    """
    module, colon, attribute = name.partition(":")
    if not (module and colon and attribute):
        raise ValueError(f'expected "package.module:attribute", got {name!r}')
    return getattr(importlib.import_module(module), attribute)
