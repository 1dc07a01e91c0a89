"""Run an attempt at an exercise against its check."""

from __future__ import annotations

import importlib.util
import sys
import traceback
from dataclasses import dataclass
from pathlib import Path
from types import ModuleType

from guide.errors import GuideError
from guide.plugin import Exercise


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check says of an attempt."""

    passed: bool
    message: str  # for the learner: what is not right yet; empty when it passed


def attempt_file(exercise: Exercise, folder: Path) -> Path:
    """Where the learner's attempt lies: "m1::e0" becomes m1_e0.py."""
    return folder / f"{exercise.id.replace('::', '_')}.py"


def check(exercise: Exercise, attempt: Path) -> Outcome:
    """Run the check of `exercise` on the file `attempt`.

    A wrong attempt, or one that does not even import, is an outcome. A check that is itself
    broken is not passed by its solution, which the conformance kit tells its author.

    Raises:
        GuideError: when the attempt is not there.
    """
    if not attempt.is_file():
        raise GuideError(f"{attempt} does not exist", f"guide start {exercise.id}")
    judge = _import_file(exercise.folder / "check.py", "guide_exercise_check")
    try:
        module = _import_file(attempt, "guide_exercise_attempt")
    except (Exception, SystemExit) as error:
        return Outcome(False, _one_line(error, attempt))
    try:
        judge.check(module)
    except AssertionError as error:
        return Outcome(False, str(error).partition("\n")[0] or "the check failed without a word")
    except (Exception, SystemExit) as error:
        # Also when it was raised by the check's own code: what came from the attempt, such as
        # the None of an unfinished function, is what that code stumbled over.
        return Outcome(False, _one_line(error, attempt))
    return Outcome(True, "")


def _import_file(file: Path, name: str) -> ModuleType:
    """Import a file by its path, anew each time and under a name of its own."""
    spec = importlib.util.spec_from_file_location(name, file)
    if spec is None or spec.loader is None:
        raise GuideError(f"{file} is no Python file")
    module = importlib.util.module_from_spec(spec)
    sys.modules[name] = module  # dataclasses and numba look the module up by its name
    try:
        spec.loader.exec_module(module)
    finally:
        del sys.modules[name]
    return module


def _one_line(error: BaseException, file: Path) -> str:
    if isinstance(error, AttributeError) and getattr(error.obj, "__file__", "") == str(file):
        return f"{file.name} does not define {error.name}"
    text = f"{type(error).__name__}: {(str(error) or 'no message').splitlines()[0]}"
    for frame in reversed(traceback.extract_tb(error.__traceback__)):
        if Path(frame.filename) == file:
            return f"{file.name}:{frame.lineno}: {text}"
    return f"{file.name}: {text}"
