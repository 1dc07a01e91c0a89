"""`guide report`."""

from __future__ import annotations

import json
import webbrowser
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import click

from guide.causes import sentence
from guide.errors import GuideError
from guide.project import find_project
from guide.readback import read_record
from guide.record import latest_run
from guide.report import bounded, headline, whole, write_report
from guide.units import duration, number, percent, quantity


@click.command("report")
@click.argument("run", required=False, type=click.Path(path_type=Path))
@click.option("--open", "show", is_flag=True, help="Open the page in a browser.")
@click.option("--json", "as_json", is_flag=True, help="Print the record, run.json.")
def report(run: Path | None, show: bool, as_json: bool) -> None:
    """Show how RUN went, the last one by default, and where its report is.

    RUN is a folder, or the name of one under runs/. A report that is missing is made again.
    """
    folder = find_run(run)
    record = read_record(folder)
    if as_json:
        click.echo(json.dumps(record))
        return
    file = folder / "report.html"
    if not file.exists():
        write_report(folder)
    click.echo(summary(record))
    click.echo(f"\nreport  {file}")
    trace = folder / (record.get("trace") or "trace.json")
    if trace.exists():
        click.echo(f"trace   {trace} (open it at https://ui.perfetto.dev)")
    if show and not webbrowser.open(file.resolve().as_uri()):
        raise GuideError("no browser could be opened", f"open this file yourself: {file}")


def find_run(run: Path | None) -> Path:
    """The folder of the run that was asked for.

    Raises:
        GuideError: when there is no such run.
    """
    project = find_project(Path.cwd())
    if run is None:
        if project is None:
            raise GuideError(
                "which run? you are not in a project", "cd into one, or type: guide report FOLDER"
            )
        latest = latest_run(project / "runs")
        if latest is None:
            raise GuideError(f"{project.name} has not run yet", "type: guide run")
        return latest
    if run.name in ("run.json", "report.html", "trace.json", "trace.pftrace"):
        run = run.parent
    if not run.exists() and project is not None and (project / "runs" / run).exists():
        run = project / "runs" / run
    if (run / "run.json").exists():
        return run
    if find_project(run) == run.resolve():
        latest = latest_run(run / "runs")
        if latest is not None:
            return latest
        raise GuideError(f"{run} has not run yet", f"type: guide run {run}")
    raise GuideError(f"{run} holds no run", "the runs of a project are in its runs/ folder")


def summary(record: dict[str, Any]) -> str:
    """The run in a few lines for a terminal."""
    text, mood = headline(record)
    colour = {"good": "green", "bad": "red", "unsure": "yellow"}[mood]
    record = whole(record)
    rows: list[tuple[str, str]] = []
    if record["tick_time"]["count"]:
        rows = [*_pace(record), *_parts(record), *_energy(record), *_limits(record)]
        rows += _values(record)
    rows += [("note", note) for note in record["notes"]]
    width = max((len(label) for label, _ in rows), default=0) + 2
    lines = [f"{label:{width}}{value}" for label, value in rows]
    return "\n".join([click.style(text, fg=colour), *lines])


def _pace(record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    work, loop = record["tick_time"], record["loop"]
    pace = "free-running" if loop["rate_hz"] is None else f"of {number(loop['rate_hz'])} Hz"
    yield "rate", f"{loop['ticks'] / (record['seconds'] or 1):.1f} Hz {pace}"
    p50, p99, longest = (duration(work[key]) for key in ("p50_ns", "p99_ns", "max_ns"))
    yield "tick", f"p50 {p50}, p99 {p99}, longest {longest}"
    if record["misses"]["causes"]:
        yield "missed", sentence(record["misses"]["causes"])


def _limits(record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    if record["pacing"] and record["pacing"]["text"]:
        yield "pacing", record["pacing"]["text"]
    for budget in record["budgets"]:
        used = bounded({**budget, "value": budget["used"]})
        limit = quantity(budget["limit"], budget["unit"])
        yield "budget", f"{budget['name']}: {used} of {limit}, {budget['state']}"


def _parts(record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    total = record["tick_time"]["mean_ns"] * record["tick_time"]["count"]
    ranked = sorted(record["spans"].items(), key=lambda item: -item[1]["total_ns"])[:6]
    for name, span in ranked:
        share = f"{percent(span['total_ns'], total):>6} of the tick"
        where = "beside the loop" if span["beside"] else share
        yield f"  {name}", f"{where + ',':19} p50 {duration(span['p50_ns'])}"


def _energy(record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for reading in record["usage"]["totals"]:
        if reading["name"].startswith("energy"):
            what = f"{reading['name'].partition('.')[2]}, source: {reading['source']}"
            yield "energy", f"{bounded(reading)} ({what})"


def _values(record: dict[str, Any]) -> Iterator[tuple[str, str]]:
    for name, series in record["series"].items():
        if series["values"] and series["values"][-1] is not None:
            yield name, f"{quantity(series['values'][-1], series['unit'])} at the end"
