"""`guide exercises`, `start`, `check`, `hint`, `solution`, `reset` and `skip`."""

from __future__ import annotations

import datetime
import difflib
import json
import re
import shutil
import sys
import textwrap
from collections.abc import Sequence
from pathlib import Path
from typing import Any

import click

from guide.cli.shared import EXERCISE, TRACK, chosen_track, show_text
from guide.errors import GuideError, UsageError
from guide.judge.manifest import Manifest, read_manifest
from guide.learn import exercises as learn
from guide.learn.attempts import note
from guide.learn.contents import all_exercises, find_exercise, read_page
from guide.learn.progress import Standing
from guide.plugin import Exercise
from guide.plugins import Plugins

SIGNS = {"new": "·", "started": "…", "wrong": "✗", "correct": "✓", "fast": "✓✓", "better": "★"}


@click.command("exercises")
@click.argument("track", required=False, type=TRACK)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def exercises(track: str | None, as_json: bool) -> None:
    """List the exercises and where you stand: those TRACK is expected or invited to do.

    Without TRACK, those of the project's track inside a project, those of the track that
    `guide track` chose elsewhere, and all where none was chosen.
    """
    plugins = Plugins()
    track = chosen_track(track, plugins)
    found = all_exercises(plugins, track)
    standings = learn.standing_of(found)
    if as_json:
        click.echo(json.dumps([_row(e, standings[e.id]) for e in found], indent=2))
        return
    for exercise in found:
        standing = standings[exercise.id]
        flags = f"  [{', '.join(standing.flags)}]" if standing.flags else ""
        sign = SIGNS["correct" if standing.passed and standing.state == "wrong" else standing.state]
        colour = "green" if standing.passed else "yellow" if standing.tries else None
        for_whom = f"({_asked(exercise, track)}){flags}"
        if sys.stdout.isatty() and shutil.get_terminal_size().columns < 80:
            for_whom = flags.strip()  # a narrow terminal has room for the titles alone
        head = f"{click.style(f'{sign:2}', fg=colour)} {click.style(exercise.id, fg='cyan')}"
        click.echo(f"{head}  {exercise.title}  {for_whom}".rstrip())
    if following := _next(found, standings):
        click.echo("\n· new  … started  ✗ wrong  ✓ correct  ✓✓ fast  ★ best")
        click.echo(f"Next: {following}")


def _asked(exercise: Exercise, track: str | None) -> str:
    """What the exercise asks of a track; of all of them where none is chosen."""
    if track is not None:
        return "expected" if {track, "all"} & {*exercise.expected} else "invited"
    of = [f"expected: {', '.join(exercise.expected)}"] if exercise.expected else []
    of += [f"invited: {', '.join(exercise.invited)}"] if exercise.invited else []
    return "; ".join(of)


def _row(exercise: Exercise, standing: Standing) -> dict[str, Any]:
    return {
        "id": exercise.id,
        "title": exercise.title,
        "expected": exercise.expected,
        "invited": exercise.invited,
        "state": standing.state,
        "passed": standing.passed,
        "flags": standing.flags,
    }


def _next(found: Sequence[Exercise], standings: dict[str, Standing]) -> str:
    """What to type next: go on with what was begun, else begin the first that is left."""
    left = [e for e in found if not standings[e.id].passed and not standings[e.id].skipped]
    begun = [e for e in left if standings[e.id].state != "new"]
    if begun:
        return f"guide check {begun[0].id}"
    return f"guide start {left[0].id}" if left else "guide progress" if found else ""


@click.command("start")
@click.argument("exercise", type=EXERCISE)
def start(exercise: str) -> None:
    """Copy the starter of EXERCISE, such as m0::e0, to a file here. Never overwrites one.

    The file is yours: an upgrade of guide never touches it. Where it lies is remembered, so that
    `guide check` finds it from any folder.
    """
    found = find_exercise(Plugins(), exercise)
    manifest = read_manifest(found.folder)
    file = learn.attempt_file(found, Path.cwd())
    if file.exists():
        raise UsageError(f"{file.name} exists already", f"guide check {found.id}")
    file.write_bytes(manifest.starter.read_bytes())
    note("start", found.id, file=str(file.resolve()))
    show_text(read_page(found.folder / "README.md"))
    if lacking := learn.lacking(manifest):
        click.echo(f"\n{lacking}")
    click.echo(f"\nYour file: {file.name}\n")
    ask_predictions(found, manifest, learn.standing_of([found])[found.id])
    click.echo(f"guide watch {found.id} checks it each time you save.\n")
    click.echo(f"Next: edit it, then: guide check {found.id}")


@click.command("check")
@click.argument("exercise", required=False, type=EXERCISE)
@click.option("--all", "every", is_flag=True, help="Check all that you have started.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--no-predict", is_flag=True, help="Do not ask what you expect.")
def check(exercise: str | None, every: bool, as_json: bool, no_predict: bool) -> None:
    """Check your attempt at EXERCISE: that it is right, and fast.

    Your file is the one in the current folder, else where `guide start` put it. Fast is a ratio to
    the starter on this machine, never a time. Exits with 0 when it passes, with 1 when it does
    not, and with 2 when the machine was too busy to say.
    """
    plugins = Plugins()
    if every == (exercise is not None):
        raise UsageError("EXERCISE or --all is needed, one of them", "guide exercises lists them")
    if exercise is not None:
        chosen = [find_exercise(plugins, exercise)]
    else:
        known = all_exercises(plugins)
        chosen = [e for e in known if learn.standing_of([e])[e.id].state != "new"]
        if not chosen:
            raise UsageError("nothing is started yet", f"guide start {known[0].id}")
    rows = []
    for number, one in enumerate(chosen):
        if number and not as_json:
            click.echo()
        rows.append(_check(one, as_json, not no_predict and not every))
    if as_json:
        click.echo(json.dumps(rows if every else rows[0], indent=2))
    elif every:
        click.echo(f"\n{sum(r['passed'] for r in rows)} of {len(rows)} pass\nNext: guide progress")
    if not all(row["passed"] for row in rows):
        failed = any(not row["passed"] and row["state"] != "inconclusive" for row in rows)
        sys.exit(1 if failed else 2)


def _check(exercise: Exercise, as_json: bool, predict: bool) -> dict[str, Any]:
    standing = learn.standing_of([exercise])[exercise.id]
    file = learn.own_file(exercise, standing)
    manifest = read_manifest(exercise.folder)
    if predict and not as_json:
        ask_predictions(exercise, manifest, standing)
    shown = _Progress(as_json)
    result = learn.judge(exercise, file, progress=shown)
    shown.clear()
    learn.note_check(exercise, manifest, file, result)
    if not as_json:
        from guide.cli.debrief import lines

        standing = learn.standing_of([exercise])[exercise.id]
        for line in lines(exercise, manifest, result, standing):
            click.echo(line)
        if file.parent != Path.cwd():
            click.echo(f"  your file: {file}")
        if result.passed:
            click.echo(f"\nNext: compare with the reference: guide solution {exercise.id}")
        elif result.state == "inconclusive":
            click.echo(f"\nNext: close what keeps it busy, then: guide check {exercise.id}")
        else:
            click.echo(f"\nNext: guide hint {exercise.id}, or edit it and check again")
    return as_row(exercise, result)


def as_row(exercise: Exercise, result: Any) -> dict[str, Any]:
    """A result as JSON."""
    row: dict[str, Any] = {
        "id": exercise.id,
        "state": result.state,
        "passed": result.passed,
        "message": result.message,
        "cases": result.cases,
        "counts": dict(result.counts),
    }
    if result.failure:
        row["failure"] = {key: getattr(result.failure, key) for key in ("given", "expected", "got")}
    if result.speed:
        over, share = result.speed.standing.over_naive, result.speed.standing.of_reference
        row["speed"] = {
            "over_naive": [over.low, over.median, over.high],
            "of_reference": [share.low, share.median, share.high],
            "best": over.best,
            "ns": dict(result.speed.ns),
            "rounds": result.speed.rounds,
            "seconds": result.speed.seconds,
        }
    return row


class _Progress:
    """One line on a terminal that is written over, so that five seconds do not look like a hang."""

    def __init__(self, silent: bool) -> None:
        self._on = sys.stderr.isatty() and not silent

    def __call__(self, what: str) -> None:
        if self._on:
            click.echo(f"\r\x1b[K  {what} …", nl=False, err=True)

    def clear(self) -> None:
        if self._on:
            click.echo("\r\x1b[K", nl=False, err=True)


def ask_predictions(exercise: Exercise, manifest: Manifest, standing: Standing) -> None:
    """Ask what the learner expects, before anything is measured; Enter skips. Not in a pipe."""
    from guide.judge.written import parsed

    open_ = [q for q in manifest.predict if q.key not in {g.key for g in standing.guesses}]
    if not open_ or standing.passed or not (sys.stdin.isatty() and sys.stdout.isatty()):
        return
    columns = max(shutil.get_terminal_size().columns, 34)
    click.echo(click.style("Predict first", bold=True) + " (Enter skips)")
    for question in open_:
        unit = f" [{question.unit}]" if question.unit else ""
        *lines, last = textwrap.wrap(f"{question.ask}{unit}", columns - 14)  # room for an answer
        for line in lines:
            click.echo(f"  {line}")
        said = click.prompt(f"  {last}", default="", show_default=False)
        guess = parsed(said)
        if guess is not None:
            note("predict", exercise.id, key=question.key, guess=guess)
    click.echo()


@click.command("hint")
@click.argument("exercise", type=EXERCISE)
def hint(exercise: str) -> None:
    """Give the next hint for EXERCISE: a nudge, then the idea, then nearly the code. No penalty."""
    found = find_exercise(Plugins(), exercise)
    levels = hints(found.folder)
    if not levels:
        raise GuideError(f"{found.id} has no hints", f"read {found.folder / 'README.md'} again")
    taken = learn.standing_of([found])[found.id].hints
    level = min(taken + 1, len(levels))
    note("hint", found.id, level=level)
    title, text = levels[level - 1]
    click.secho(f"Hint {level} of {len(levels)}: {title}", bold=True)
    show_text(text)
    more = f"guide hint {found.id}" if level < len(levels) else f"guide solution {found.id}"
    click.echo(f"\nNext: edit it, then: guide check {found.id}; or: {more}")


def hints(folder: Path) -> list[tuple[str, str]]:
    """The hints of an exercise, as (title, text), the smallest first."""
    file = folder / "hints.md"
    if not file.is_file():
        return []
    parts = re.split(r"^## *\d* *(.*)$", file.read_text(encoding="utf-8"), flags=re.M)
    return [(parts[i].strip(), parts[i + 1].strip()) for i in range(1, len(parts), 2)]


@click.command("solution")
@click.argument("exercise", type=EXERCISE)
@click.option("--yes", is_flag=True, help="Do not ask.")
def solution(exercise: str, yes: bool) -> None:
    """Show the solution of EXERCISE, what differs from yours, and why. Free once it passes."""
    found = find_exercise(Plugins(), exercise)
    manifest, standing = read_manifest(found.folder), learn.standing_of([found])[found.id]
    if not standing.passed and not yes:
        if not (sys.stdin.isatty() and sys.stdout.isatty()):
            raise UsageError(f"{found.id} is not passed yet", "--yes shows the solution anyway")
        if not click.confirm("You have not passed it yet. Look anyway?"):
            click.echo(f"\nNext: guide hint {found.id}")
            return
    note("solution", found.id)
    text = manifest.solution.read_text(encoding="utf-8")
    try:
        mine = learn.own_file(found, standing).read_text(encoding="utf-8", errors="replace")
    except GuideError:
        mine = ""
    if mine:
        for line in difflib.unified_diff(
            mine.splitlines(), text.splitlines(), "yours", "solution", lineterm=""
        ):
            colour = {"+": "green", "-": "red", "@": "cyan"}.get(line[:1])
            click.echo(click.style(line, fg=colour) if colour else line)
    else:
        click.echo(text.rstrip())
    if (found.folder / "solution.md").is_file():
        click.echo()
        show_text(read_page(found.folder / "solution.md"))
    if standing.ratio:
        share = f"{100 * standing.share:.0f} % of this one"
        click.echo(f"\nMeasured: yours {standing.ratio:.1f}x naive, {share}")
    click.echo(f"\nThe file: {manifest.solution}\n\nNext: guide exercises")


@click.command("reset")
@click.argument("exercise", type=EXERCISE)
def reset(exercise: str) -> None:
    """Begin EXERCISE again: yours is kept beside it under today's date."""
    found = find_exercise(Plugins(), exercise)
    file = learn.own_file(found, learn.standing_of([found])[found.id])
    stamp = datetime.datetime.now().strftime("%Y-%m-%d-%H%M%S")
    kept = file.with_name(f"{file.stem}.{stamp}{file.suffix}")
    number = 1
    while kept.exists():
        number += 1
        kept = file.with_name(f"{file.stem}.{stamp}-{number}{file.suffix}")
    shutil.copy2(file, kept)
    file.write_bytes(read_manifest(found.folder).starter.read_bytes())
    note("reset", found.id, file=str(file.resolve()), kept=str(kept.resolve()))
    click.echo(f"{file.name} is the starter again; yours is kept as {kept.name}")
    click.echo(f"\nNext: guide check {found.id}")


@click.command("skip")
@click.argument("exercise", type=EXERCISE)
@click.option("--undo", is_flag=True, help="Take it up again.")
def skip(exercise: str, undo: bool) -> None:
    """Set EXERCISE aside: the course goes on with the next one."""
    plugins = Plugins()
    found = find_exercise(plugins, exercise)
    note("skip", found.id, on=not undo)
    click.echo(f"{found.id} is {'taken up again' if undo else 'set aside'}")
    known = all_exercises(plugins, chosen_track(None, plugins))
    click.echo(f"\nNext: {_next(known, learn.standing_of(known)) or 'guide exercises'}")
