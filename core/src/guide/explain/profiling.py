"""Running somebody's Python program under a profiler: what was typed, and what came of it."""

from __future__ import annotations

import contextlib
import os
import re
import shutil
import signal
import subprocess
import sys
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from pathlib import Path

from guide.errors import GuideError, UsageError
from guide.plugin import Profiler

_PYTHON = re.compile(r"python(3(\.\d+)?)?(\.exe)?")
_WITH_VALUE = ("-W", "-X")
# What a profiler's program exits with when it could not write, and when it saw too few steps: then
# their number, up to so many, is added
_NOT_WRITTEN = 4
_NO_STEPS, _MOST_SEEN = 64, 50


class NoStepError(GuideError):
    """A program came to its end, or was ended, and no step of it was seen."""


@dataclass(frozen=True, slots=True)
class Program:
    """A Python program as it was typed.

    Attributes:
        python: the interpreter and its options.
        name: the script, or the module when `module`.
        arguments: what stands after it.
    """

    python: tuple[str, ...]
    name: str
    arguments: tuple[str, ...] = ()
    module: bool = False

    @property
    def folder(self) -> Path:
        """What its own files lie below."""
        return Path.cwd() if self.module else Path(self.name).resolve().parent


def parse_program(words: Sequence[str]) -> Program:
    """What `python train.py --epochs 1`, `train.py`, `-m package` or a console script names.

    Raises:
        UsageError: when that is no Python program.
    """
    rest = list(words)
    python = [sys.executable]
    if rest and _PYTHON.fullmatch(Path(rest[0]).name):
        # Typed without a folder it is the one that runs this: it has the plugins
        python = [rest[0] if os.sep in rest[0] else sys.executable]
        del rest[0]
        while rest and rest[0].startswith("-") and rest[0] not in ("-m", "-c", "-"):
            python += [rest.pop(0) for _ in range(2 if rest[0] in _WITH_VALUE else 1) if rest]
    if rest and rest[0] == "-m":
        if len(rest) < 2:
            raise UsageError("-m names no module", "type: guide profile python -m PACKAGE")
        return Program(tuple(python), rest[1], tuple(rest[2:]), module=True)
    if not rest or rest[0].startswith("-"):
        raise UsageError("no program to profile", "type: guide profile python train.py")
    script = _script(rest[0])
    return Program(tuple(python), script, tuple(rest[1:]))


def _script(word: str) -> str:
    if Path(word).is_file():
        file: str | None = word
    else:
        file = None if os.sep in word or word.endswith(".py") else shutil.which(word)
    if file is None:
        raise UsageError(f"{word} does not exist", "name a Python program: python train.py")
    if not file.endswith(".py"):
        with Path(file).open("rb") as source:
            first = source.readline(200)
        if not (first.startswith(b"#!") and b"python" in first):
            raise UsageError(f"{word} is no Python program", "name one: python train.py")
    return file


def record_program(
    program: Program,
    profiler: Profiler,
    out: Path,
    *,
    warm: int | None,
    steps: int,
    patience_s: float = 10.0,
    to_the_end: bool = False,
) -> bool:
    """Run a program under a profiler, which leaves its trace in `out`.

    Args:
        program: what to run.
        profiler: what records it.
        out: the trace.
        warm: steps to time before, exactly so many; None: as many as it takes.
        steps: steps to record.
        patience_s: how long to wait for one kind of step before another is looked for.
        to_the_end: whether the program goes on once it is recorded.

    Returns:
        Whether the program ended well. When it did not, its own traceback was shown.

    Raises:
        GuideError: when no trace came of it.
    """
    options = ["--out", str(out), "--steps", str(steps), "--patience", str(patience_s)]
    options += [] if warm is None else ["--warm", str(warm)]
    options += ["--to-the-end"] * to_the_end + ["--module"] * program.module
    command = [*program.python, "-m", profiler.program, *options, "--"]
    command += [program.name, *program.arguments]
    from guide.explain.whole import SUFFIX

    before = _stamp(out)
    out.with_name(out.name + SUFFIX).unlink(missing_ok=True)  # of a program that was killed
    try:
        with _interrupts_are_theirs():
            code = subprocess.run(command).returncode
    except OSError as error:
        raise GuideError(f"{program.python[0]}: {error.strerror}", "name another python") from None
    if _stamp(out) == before:
        raise _nothing(program, code, out)
    return code == 0


def _nothing(program: Program, code: int, out: Path) -> GuideError:
    name = program.name
    if _NO_STEPS <= code <= _NO_STEPS + _MOST_SEEN:
        return _too_few(name, code - _NO_STEPS)
    if code == 0:
        return GuideError(
            f"{name} ended itself at once, so nothing could be written",
            "let it return instead of calling os._exit or exec",
        )
    if code == _NOT_WRITTEN:
        what = f"{out} could not be written; the disk may be full"
        return GuideError(what, "name a file elsewhere: -o FILE")
    if code in (130, -signal.SIGINT):
        return NoStepError(f"{name} was interrupted before a step was recorded", "run it again")
    if code < 0:
        return GuideError(
            f"{name} was ended by {signal.Signals(-code).name}, before there was a trace",
            "a step with less in it (a smaller batch) takes less memory to record",
        )
    return GuideError(f"{name} failed before there was a trace", "its own words stand above")


def _too_few(name: str, seen: int) -> GuideError:
    """What to ask of a program that makes so many steps and no more."""
    if not seen:
        return NoStepError(
            f"{name} ended before a step of torch's was seen",
            "where no optimizer steps, look for calls of a module sooner: --patience 0.1; of a "
            f"program without torch, python -m cProfile -s cumtime {name} shows its functions",
        )
    steps = "one step" if seen == 1 else f"{seen} steps"
    if seen == 1:
        remedy = "let it make a second one"
    elif seen < 4:
        remedy = f"guide profile --warm 0 --steps {seen - 1} records from the second one on"
    else:
        remedy = f"guide profile --warm 1 --steps {min(seen - 3, 5)} does with as many"
    return GuideError(f"{name} ended after {steps}, too few to time and record them", remedy)


def _stamp(file: Path) -> tuple[int, int] | None:
    """What tells one file from the next under its name."""
    try:
        found = file.stat()
    except OSError:
        return None
    return found.st_ino, found.st_mtime_ns


@contextlib.contextmanager
def _interrupts_are_theirs() -> Iterator[None]:
    """Within the block Ctrl-C is for the program alone: it writes what it has, and ends."""
    before = signal.signal(signal.SIGINT, lambda *_: None)
    try:
        yield
    finally:
        signal.signal(signal.SIGINT, before)
