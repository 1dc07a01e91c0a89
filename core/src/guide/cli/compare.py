"""`guide compare`."""

from __future__ import annotations

import json
from dataclasses import asdict
from pathlib import Path

import click

from guide.cli.report import find_run
from guide.compare import Change, Comparison, repeats_beside
from guide.compare import compare as between
from guide.errors import UsageError
from guide.project import find_project
from guide.readback import read_record
from guide.record import known_runs
from guide.units import number, quantity


@click.command("compare")
@click.argument("runs", nargs=-1, type=click.Path(path_type=Path), metavar="[RUN RUN]")
@click.option("--json", "as_json", is_flag=True, help="Print the comparison as JSON.")
def compare(runs: tuple[Path, ...], as_json: bool) -> None:
    """Say what changed from one run to another, and whether that is real.

    A RUN is a folder, or the name of one under runs/; by default the last two.
    """
    if not runs:
        project = find_project(Path.cwd())
        runs = tuple(known_runs(project / "runs")[-2:]) if project else ()
    if len(runs) != 2:
        raise UsageError("a comparison takes two runs", "type: guide compare RUN RUN")
    folders = [find_run(run) for run in runs]
    records = [read_record(folder) for folder in folders]
    found = between(records[0], records[1], repeats_beside(folders[1]))
    if as_json:
        changes = [asdict(c) | {"real": c.real, "verdict": c.verdict} for c in found.changes]
        click.echo(json.dumps(asdict(found) | {"changes": changes}))
    else:
        click.echo(table(found, [folder.name for folder in folders]))


def table(comparison: Comparison, names: list[str]) -> str:
    """A comparison for a terminal."""
    rows = [("", *names, "")]
    rows += [(c.name, *_values(c), c.verdict) for c in comparison.changes]
    widths = [max(len(row[i]) for row in rows) for i in range(3)]
    lines = [
        f"{row[0]:{widths[0]}}  {row[1]:>{widths[1]}}  {row[2]:>{widths[2]}}  {row[3]}".rstrip()
        for row in rows
    ]
    for line, change in zip(range(1, len(lines)), comparison.changes, strict=True):
        if change.real:
            lines[line] = click.style(lines[line], fg="green" if change.new < change.old else "red")
    different = [f"different: {line}" for line in comparison.differences]
    how = "tick by tick" if comparison.paired else "as two samples"
    s = "" if comparison.repeats == 1 else "s"
    between = f"known from {comparison.repeats} repeat{s} in runs/"
    if not comparison.repeats:
        between = "assumed; run the same again a few times, and it is known"
    last = f"Ticks compared {how}. The spread between equal runs is {between}."
    return "\n".join([*different, *[""] * bool(different), *lines, "", last])


def _values(change: Change) -> tuple[str, ...]:
    if change.unit == "%":
        return tuple(f"{number(round(value, 3))} %" for value in (change.old, change.new))
    return tuple(quantity(value, change.unit) for value in (change.old, change.new))
