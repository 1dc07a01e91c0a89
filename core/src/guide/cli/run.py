"""`guide run`."""

from __future__ import annotations

import contextlib
import os
import shlex
import shutil
import sys
from pathlib import Path
from traceback import format_exception
from typing import Any, NoReturn

import click

from guide.cli.report import summary
from guide.energy import open_energy_meters
from guide.errors import GuideError, UsageError
from guide.hud import Screen, Watcher
from guide.loop import Loop
from guide.options import parse_assignment
from guide.plugin import load
from guide.plugins import Plugins, explain
from guide.project import Project, find_project, make_task, read_project
from guide.record import begin, closing_record, opening_record, write_all
from guide.resources import Meter, ProcessMeter, Sampler
from guide.run import Failure, Run, Task, drive
from guide.stopping import stop_signals


@click.command("run")
@click.argument("path", required=False, type=click.Path(path_type=Path))
@click.option("--seconds", type=float, metavar="S", help="Stop after S seconds.")
@click.option("--ticks", type=int, metavar="N", help="Stop after N ticks.")
@click.option("--rate", type=float, metavar="HZ", help="Ticks a second, instead of the project's.")
@click.option("--free", is_flag=True, help="Run as fast as it goes, whatever the project's rate.")
@click.option("--set", "assignments", multiple=True, metavar="NAME=VALUE", help="Set an option.")
@click.option(
    "--seed",
    type=click.IntRange(0, 2**63 - 1),
    default=0,
    show_default=True,
    help="For random choices.",
)
@click.option("--traceback", is_flag=True, help="Show the whole traceback of an error.")
def run(
    path: Path | None,
    seconds: float | None,
    ticks: int | None,
    rate: float | None,
    free: bool,
    assignments: tuple[str, ...],
    seed: int,
    traceback: bool,
) -> None:
    """Run the project at PATH, or the one you are in.

    Shows it live on a terminal, as log lines in a pipe. Ctrl-C ends the run and writes its
    report; a second Ctrl-C ends it at once. The record goes to runs/<time>/: run.json,
    trace.json (opens in Perfetto), report.html.
    """
    for name, value in (("--seconds", seconds), ("--ticks", ticks), ("--rate", rate)):
        if value is not None and not 0 < value < float("inf"):
            raise UsageError(f"{name} {value:g} is not above 0")
    if free and rate is not None:
        raise UsageError("--free and --rate contradict each other", "give one of them")
    project = read_project(path or Path.cwd())
    loop = _loop(project, seconds, ticks, rate, free)
    options = {**project.options, **dict(map(parse_assignment, assignments))}
    task = _task(project, traceback)  # last: importing it may take seconds
    opening = opening_record(project.name, project.track, loop, options, seed)
    begun = begin(project.runs, opening)
    work = Run(loop, project=project.folder, folder=begun.folder, options=options, seed=seed)
    plugins = Plugins()
    known = plugins.troubles
    meters, absent = _meters(plugins)
    sampler = Sampler(meters, loop.clock.now_ns, on_sample=loop.timeline.fold)
    sampler.failed += absent
    watcher = Watcher(_screen(project, work, sampler))
    starting = True

    def on_start() -> None:
        nonlocal starting
        starting = False
        sampler.start()
        watcher.start()

    def stop() -> None:
        loop.stop("interrupted")
        if starting:
            raise KeyboardInterrupt

    with contextlib.suppress(OSError):  # a full disk behind stdout must not keep it from running
        click.echo(f"{project.name}: starting ...")
    loop.timeline.name_thread("loop")
    with stop_signals(stop):
        try:
            drive(task, work, on_start=on_start)
        finally:
            watcher.stop()
            sampler.stop()
            sampler.count_into(loop.timeline)
        record = closing_record(opening, work, sampler)
        record["notes"] += explain(plugins, record)
        record["notes"] += [status.line for status in plugins.troubles if status not in known]
        written = write_all(begun.folder, record, work)
    plugins.run_finished(record)
    for status in plugins.troubles:
        if status not in known:  # it failed during this very run
            click.echo(status.line, err=True)
    trouble = written.trouble or begun.trouble
    if work.failure is not None:
        _fail(work.failure, record, written.folder, traceback)
    click.echo(f"\n{summary(record)}\n\nreport  {_short(written.folder / 'report.html')}")
    click.echo(f"\nNext: guide report {_named(project, written.folder)}--open")
    if trouble:
        raise GuideError(trouble)


def _loop(
    project: Project, seconds: float | None, ticks: int | None, rate: float | None, free: bool
) -> Loop:
    rate_hz = None if free else rate or project.rate_hz
    # A budget that was stated for one rate says nothing of another.
    budget_s = project.budget_s if rate is None else None
    if free and budget_s is None and project.rate_hz is not None:
        budget_s = 1 / project.rate_hz
    try:
        return Loop(rate_hz, project.overrun, budget_s=budget_s, ticks=ticks, seconds=seconds)
    except ValueError as error:
        raise UsageError(str(error)) from None


def _task(project: Project, traceback: bool) -> Task:
    try:
        return make_task(project)
    except GuideError as error:
        if traceback and error.__cause__ is not None:
            click.echo("".join(format_exception(error.__cause__)), err=True)
        raise


def _meters(plugins: Plugins) -> tuple[list[Meter], list[str]]:
    energy, absent = open_energy_meters()
    meters: list[Meter] = [ProcessMeter(), *energy]
    lines = list(absent)
    for spec in plugins.meters():
        try:
            meters.append(load(spec.factory)())
        except (Exception, SystemExit) as error:  # a stranger's meter: said, and left out
            lines.append(f"{spec.name}: {error}")
    return meters, lines


def _screen(project: Project, work: Run, sampler: Sampler) -> Screen:
    encoding = (sys.stdout.encoding or "").lower()
    return Screen(
        f"{project.name}, {project.track}",
        work,
        sampler,
        colour=sys.stdout.isatty() and not os.environ.get("NO_COLOR"),
        unicode="utf" in encoding,
    )


def _fail(failure: Failure, record: dict[str, Any], folder: Path, traceback: bool) -> NoReturn:
    """End with the failure in one line; what was recorded up to it is shown before."""
    if traceback:
        click.echo(failure.traceback, err=True)
    if record["loop"]["ticks"]:
        click.echo(f"\n{summary(record)}\n\nreport  {_short(folder / 'report.html')}")
    where = f"{failure.where}: " if failure.where else ""
    typed = failure.exit_code == UsageError.exit_code
    trace = "" if typed else f"{_short(folder)}/error.txt has the traceback"
    remedy = failure.remedy or trace
    error = GuideError(f"{where}{failure.message}", remedy)
    error.exit_code = failure.exit_code
    if typed and not record["loop"]["ticks"]:
        # Nothing ran: a slip of the pen is no run to be found later as the last one.
        shutil.rmtree(folder, ignore_errors=True)
    raise error


def _named(project: Project, folder: Path) -> str:
    """What to call a run after `guide report`: nothing for the last one of the project here."""
    if folder.parent == project.runs and find_project(Path.cwd()) == project.folder:
        return ""
    return f"{shlex.quote(_short(folder))} "


def _short(path: Path) -> str:
    try:
        return str(path.relative_to(Path.cwd()))
    except ValueError:
        return str(path)
