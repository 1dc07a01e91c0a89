"""`guide dev check`: what an exercise's author has to know before anybody else does it."""

from __future__ import annotations

import json
import sys
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from guide.errors import GuideError
from guide.judge.manifest import Manifest, read_manifest
from guide.learn.contents import all_exercises, find_exercise
from guide.learn.exercises import lacking
from guide.plugin import Exercise
from guide.plugins import Plugins

if TYPE_CHECKING:
    from guide.judge.judging import Judge, Result

_SPARE = 1.25  # by how much the solution has to clear the bar: other machines are other machines
_SHORT_NS = 300_000  # a reference that is done sooner is measured with too much of the handing over


@dataclass(slots=True)
class _Seen:
    """What became of one file in all runs."""

    name: str
    ok: bool = True
    said: list[str] = field(default_factory=list)

    def add(self, ok: bool, said: str) -> None:
        self.ok &= ok
        if said not in self.said:
            self.said.append(said)


@click.group("dev")
def dev() -> None:
    """Check exercises as their author."""


@dev.command("check")
@click.argument("exercise", required=False)
@click.option("--runs", default=3, show_default=True, type=click.IntRange(1), help="How often.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def check(exercise: str | None, runs: int, as_json: bool) -> None:
    """Hold EXERCISE, an id or a folder with an exercise.toml, against its own promises; or all.

    The starter must not pass, naive.py (without it, the starter) must be right and slow,
    solution.py must clear the bar with a quarter to spare, and no file in cheats/ may pass: so
    many times over. Prints the effect that was measured; a bar is at most half of it.
    """
    rows = []
    for one in _chosen(exercise):
        row = kept_promises(one, runs, lambda what: _progress(what, as_json))
        rows.append(row)
        if not as_json:
            _print(one, row)
    if as_json:
        click.echo(json.dumps(rows, indent=2))
    failed = [row for row in rows if not row["ok"]]
    if failed:
        sys.exit(1)
    if not as_json:
        click.echo("\nNext: guide exercises")


def _chosen(exercise: str | None) -> list[Exercise]:
    if exercise is None:
        return all_exercises(Plugins())
    folder = Path(exercise)
    if (folder / "exercise.toml").is_file():
        try:
            return [Exercise.of(folder.resolve())]
        except ValueError as error:
            raise GuideError(str(error), "mend exercise.toml") from None
    return [find_exercise(Plugins(), exercise)]


def kept_promises(
    exercise: Exercise, runs: int, progress: Callable[[str], None] = lambda what: None
) -> dict[str, Any]:
    """What became of each file of an exercise in so many runs, and the effects: a row of JSON."""
    manifest = read_manifest(exercise.folder)
    if said := lacking(manifest):
        return {"id": exercise.id, "ok": True, "files": {}, "effect": [], "advice": [said]}
    seen: dict[str, _Seen] = {}
    effects: list[float] = []
    shortest: list[float] = []
    with _judging(exercise, manifest) as judge:
        for run in range(runs):
            for name, file, verdict in _files(manifest):
                progress(f"{exercise.id} run {run + 1} of {runs}: {name}")
                result = judge(file)
                ok, said = verdict(result)
                seen.setdefault(name, _Seen(name)).add(ok, said)
                if name == "solution" and result.speed:
                    effects.append(result.speed.standing.effect.median)
                    shortest.append(result.speed.ns["reference"])
    advice = list(_advice(manifest, effects, shortest))
    return {
        "id": exercise.id,
        "ok": all(one.ok for one in seen.values()) and not any(a.startswith("!") for a in advice),
        "files": {one.name: {"ok": one.ok, "said": one.said} for one in seen.values()},
        "effect": effects,
        "advice": advice,
    }


class _judging:  # noqa: N801 (used as a function)
    """Judges a file of one exercise; code with one warm judge for all of them."""

    def __init__(self, exercise: Exercise, manifest: Manifest) -> None:
        self._exercise, self._manifest = exercise, manifest
        self._judge: Judge | None = None

    def __enter__(self) -> Callable[[Path], Result]:
        if not self._manifest.entry:
            from guide.learn.exercises import judge

            return lambda file: judge(self._exercise, file)
        from guide.judge.judging import Judge as Judging
        from guide.judge.lock import alone

        self._judge = Judging(self._manifest, check_all=True)

        def judged(file: Path) -> Result:
            assert self._judge is not None
            with alone():
                return self._judge.judge(file)

        return judged

    def __exit__(self, *_: object) -> None:
        if self._judge is not None:
            self._judge.close()


_Verdict = Callable[["Result"], tuple[bool, str]]


def _files(manifest: Manifest) -> Iterator[tuple[str, Path, _Verdict]]:
    """What is judged, and what is to come of it."""
    yield "starter", manifest.starter, _not_passed
    if manifest.bars:
        yield "naive", manifest.naive, _right_and_slow
    spare = _passed_with_spare(manifest)
    yield "solution", manifest.solution, spare
    for file in sorted((manifest.folder / "cheats").glob(f"*{manifest.suffix}")):
        yield f"cheats/{file.stem}", file, _not_passed


def _not_passed(result: Result) -> tuple[bool, str]:
    if result.passed:
        return False, f"it passes: {result.state}"
    if result.speed:
        return True, f"gains nothing: {result.speed.standing.over_naive.median:.1f}x"
    return True, result.message


def _right_and_slow(result: Result) -> tuple[bool, str]:
    if result.state == "wrong":
        return False, result.message
    return not result.passed, "right and slow" if not result.passed else "it passes"


def _passed_with_spare(manifest: Manifest) -> _Verdict:
    def verdict(result: Result) -> tuple[bool, str]:
        if not result.passed or result.state == "waived":
            busy = result.state == "inconclusive"
            return False, "inconclusive" if busy else result.message or result.state
        if not (result.speed and manifest.bars):
            return True, "passes"
        over, bar = result.speed.standing.over_naive.median, manifest.bars.over_naive
        return over >= _SPARE * bar, f"{over:.1f}x, the bar is {bar:g}x"

    return verdict


def _advice(manifest: Manifest, effects: list[float], shortest: list[float]) -> Iterator[str]:
    """What its author should look at; what begins with "!" is an error."""
    for name in ("README.md", "hints.md", "solution.md"):
        if not (manifest.folder / name).is_file():
            yield f"{name} is missing"
    if manifest.bars and effects:
        # Half of an effect that is small itself would be no bar: then its root.
        if manifest.bars.over_naive > max(min(effects) / 2, min(effects) ** 0.5):
            yield (
                f"over_naive = {manifest.bars.over_naive:g} is more than half of the effect, "
                f"{min(effects):.1f}x: lower it"
            )
        if min(shortest) < _SHORT_NS:
            yield f"the reference takes {min(shortest) / 1e6:.1f} ms: raise cases.perf or calls"
        if not list((manifest.folder / "cheats").glob("*.py")):
            yield "cheats/ is empty: what would you try?"


def _progress(what: str, silent: bool) -> None:
    if sys.stderr.isatty() and not silent:
        click.echo(f"\r\x1b[K  {what} …", nl=False, err=True)


def _print(exercise: Exercise, row: dict[str, object]) -> None:
    _progress("", False)
    click.secho(f"\r{exercise.id} {exercise.title}", bold=True)
    files = row["files"]
    assert isinstance(files, dict)
    for name, seen in files.items():
        sign, colour = ("✓", "green") if seen["ok"] else ("✗", "red")
        said = "; ".join(seen["said"])
        click.echo(f"  {click.style(sign, fg=colour)} {name:26} {said[:200]}")
    effects, advice = row["effect"], row["advice"]
    assert isinstance(effects, list)
    assert isinstance(advice, list)
    if effects:
        click.echo(f"  measured effect: {', '.join(f'{e:.1f}x' for e in effects)}")
    for line in advice:
        click.secho(f"  {line}", fg="yellow")
