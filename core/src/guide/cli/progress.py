"""`guide progress`."""

from __future__ import annotations

import json
from collections.abc import Sequence

import click

from guide.cli.exercises import SIGNS
from guide.cli.shared import TRACK, chosen_track
from guide.learn.attempts import log_file
from guide.learn.contents import all_exercises
from guide.learn.exercises import standing_of
from guide.learn.progress import Guess, Standing, typical_off
from guide.plugin import Exercise
from guide.plugins import Plugins


@click.command("progress")
@click.argument("track", required=False, type=TRACK)
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
def progress(track: str | None, as_json: bool) -> None:
    """Show what you have done, how fast it became, and whether your predictions get better."""
    plugins = Plugins()
    chosen = chosen_track(track, plugins)
    found = all_exercises(plugins, chosen)
    standings = standing_of(found)
    if as_json:
        click.echo(json.dumps(_written(found, standings), indent=2))
        return
    for module in sorted({e.id.partition("::")[0] for e in found}):
        click.secho(module, bold=True)
        for exercise in found:
            if exercise.id.startswith(f"{module}::"):
                click.echo(_line(exercise, standings[exercise.id]))
    click.echo()
    for what, ids in (
        ("expected", [e.id for e in found if e.expected and _for(chosen, e.expected)]),
        ("invited", [e.id for e in found if e.invited and _for(chosen, e.invited)]),
    ):
        if ids:
            done = sum(standings[id].passed for id in ids)
            bar = "█" * round(20 * done / len(ids))
            click.echo(f"{what:9} {bar:░<20} {done} of {len(ids)}")
    for line in _guessing(standings):
        click.echo(line)
    click.echo(f"\nKept in {log_file()}\nNext: guide exercises")


def _for(chosen: str | None, tracks: Sequence[str]) -> bool:
    return chosen is None or chosen in tracks or "all" in tracks


def _line(exercise: Exercise, standing: Standing) -> str:
    measured = f"{standing.ratio:.1f}x" if standing.ratio else ""
    flags = f" [{', '.join(standing.flags)}]" if standing.flags else ""
    hints = f" {standing.hints} hint{'s' if standing.hints > 1 else ''}" if standing.hints else ""
    sign = click.style(f"{SIGNS[standing.state]:2}", fg="green" if standing.passed else None)
    return f"  {sign} {exercise.id:7} {exercise.title[:36]:36} {measured:>6}{hints}{flags}".rstrip()


def _guessing(standings: dict[str, Standing]) -> list[str]:
    """How far off the first and the last predictions were."""
    guesses = in_order(standings)
    if not guesses:
        return []
    if len(guesses) < 4:
        return [f"predictions {len(guesses)}, off by {typical_off(guesses):.1f}x on the whole"]
    half = len(guesses) // 2
    first, last = typical_off(guesses[:half]), typical_off(guesses[-half:])
    assert first is not None
    assert last is not None
    better = "better" if last < first else "not better yet"
    said = (
        f"predictions {len(guesses)}: the first half off by {first:.1f}x, the last by {last:.1f}x"
    )
    return [f"{said}: {better}"]


def in_order(standings: dict[str, Standing]) -> list[Guess]:
    """The guesses that were answered by a measurement, in the order in which it was done."""
    by_time = sorted(standings.values(), key=lambda one: one.at)
    return [guess for one in by_time for guess in one.guesses if guess.off is not None]


def _written(found: Sequence[Exercise], standings: dict[str, Standing]) -> dict[str, object]:
    rows = []
    for exercise in found:
        one = standings[exercise.id]
        guesses = [{"key": g.key, "guess": g.guessed, "measured": g.measured} for g in one.guesses]
        rows.append(
            {
                "id": exercise.id,
                "title": exercise.title,
                "expected": exercise.expected,
                "invited": exercise.invited,
                "state": one.state,
                "passed": one.passed,
                "flags": one.flags,
                "tries": one.tries,
                "hints": one.hints,
                "ratio": one.ratio,
                "share": one.share,
                "predictions": guesses,
            }
        )
    return {"exercises": rows, "log": str(log_file())}
