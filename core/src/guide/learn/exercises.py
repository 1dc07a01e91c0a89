"""Exercises: the learner's file, and what the judge says of it."""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass, field
from importlib.util import find_spec
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guide.errors import GuideError
from guide.judge.manifest import Manifest, read_manifest
from guide.learn.attempts import entries, note
from guide.learn.progress import Standing, standings
from guide.plugin import Exercise

if TYPE_CHECKING:
    from guide.judge.judging import Result
    from guide.judge.nurseries import Nurseries


@dataclass(frozen=True, slots=True)
class Outcome:
    """What a check says of an attempt, in short."""

    passed: bool
    message: str  # for the learner: what is not right yet; empty when it passed
    result: Result | None = field(default=None, compare=False, repr=False)


def attempt_file(exercise: Exercise, folder: Path) -> Path:
    """Where the learner's attempt lies: "m1::e0" becomes m1_e0.py."""
    suffix = read_manifest(exercise.folder).suffix
    return folder / f"{exercise.id.replace('::', '_')}{suffix}"


def own_file(exercise: Exercise, standing: Standing | None = None) -> Path:
    """The learner's file: in the current folder, else where `guide start` put it.

    Raises:
        GuideError: when there is none.
    """
    here = attempt_file(exercise, Path.cwd())
    if here.is_file():
        return here
    kept = Path(standing.file) if standing and standing.file else None
    if kept and kept.is_file():
        return kept
    gone = f"{kept} is gone" if kept else f"{here} does not exist"
    raise GuideError(gone, f"guide start {exercise.id}")


def check(
    exercise: Exercise, attempt: Path, *, speed: bool = True, nurseries: Nurseries | None = None
) -> Outcome:
    """Judge the file `attempt`; without `speed`, only whether it is right.

    A wrong attempt, or one that does not even import, is an outcome. Who checks many hands in the
    nurseries to be used again.

    Raises:
        GuideError: when the attempt is not there, or this system cannot judge.
    """
    result = judge(exercise, attempt, speed=speed, nurseries=nurseries)
    passed = result.passed or (not speed and result.state == "correct")
    return Outcome(passed, "" if passed else result.message or "not fast enough", result)


def judge(
    exercise: Exercise,
    attempt: Path,
    *,
    speed: bool = True,
    progress: Callable[[str], None] = lambda what: None,
    nurseries: Nurseries | None = None,
) -> Result:
    """What the judge says of the file `attempt`, whatever kind of exercise it is.

    Raises:
        GuideError: when the attempt is not there, or this system cannot judge.
    """
    if not attempt.is_file():
        raise GuideError(f"{attempt} does not exist", f"guide start {exercise.id}")
    manifest = read_manifest(exercise.folder)
    attempt = attempt.resolve()
    if said := lacking(manifest):
        from guide.judge.judging import Result

        return Result("waived", said)
    if manifest.questions or manifest.points:
        from guide.judge.written import judge_answers, judge_text

        return (judge_answers if manifest.questions else judge_text)(manifest, attempt)
    if not manifest.entry:
        from guide.judge.simple import judge_simply

        kept = nurseries.of(manifest.needs, manifest.threads) if nurseries else None
        return judge_simply(manifest, attempt, kept)
    from guide.judge.judging import Judge
    from guide.judge.lock import alone

    with (
        alone(lambda: progress("another check is running; waiting")),
        Judge(manifest, nurseries=nurseries) as judge,
    ):
        return judge.judge(attempt, speed=speed, progress=progress)


def lacking(manifest: Manifest) -> str:
    """What an exercise needs and this environment has not, in a sentence; "" when all is there."""
    absent = [name for name in manifest.needs if not _installed(name)]
    missing = list(dict.fromkeys(name.partition(".")[0] for name in absent))
    if not missing:
        return ""
    names = " and ".join(missing)
    return f"it needs {names}, which is not installed here: pip install {' '.join(missing)}"


def _installed(name: str) -> bool:
    try:
        return find_spec(name) is not None
    except (ImportError, ValueError):
        return False


def standing_of(exercises: Iterable[Exercise]) -> dict[str, Standing]:
    """Where the learner stands in each of them, by id."""
    digests = {exercise.id: read_manifest(exercise.folder).digest for exercise in exercises}
    found = standings(entries(), digests)
    return {id: found.get(id, Standing()) for id in digests}


def note_check(exercise: Exercise, manifest: Manifest, file: Path, result: Result) -> None:
    """Write a check down."""
    more: dict[str, Any] = {}
    if result.speed:
        standing = result.speed.standing
        more = {
            "ratio": round(standing.over_naive.median, 3),
            "share": round(standing.of_reference.median, 3),
            "interval": [round(standing.over_naive.low, 3), round(standing.over_naive.high, 3)],
        }
    note(
        "check",
        exercise.id,
        state=result.state,
        passed=result.passed,
        asked=manifest.digest,
        rev=manifest.rev,
        file=str(file.resolve()),
        measured=measured(manifest, result),
        **more,
    )


def measured(manifest: Manifest, result: Result) -> dict[str, float]:
    """The figures that answer this exercise's predictions, by the question's key."""
    known = dict(result.counts)
    if result.speed and result.passed:
        standing = result.speed.standing
        known["over_naive"] = standing.over_naive.median
        known["of_reference"] = standing.of_reference.median
        known["effect"] = standing.effect.median
    return {
        question.key: round(known[question.measured], 4)
        for question in manifest.predict
        if question.measured in known
    }
