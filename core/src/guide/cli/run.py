"""`guide run`."""

from __future__ import annotations

import contextlib
import gc
import os
import shlex
import shutil
import signal
import sys
import threading
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path
from traceback import format_exception
from typing import TYPE_CHECKING, Any, NoReturn

import click

from guide import ranks
from guide.budgets import Budget, Budgets
from guide.ceilings import cached as cached_card
from guide.cli.report import find_run, summary
from guide.cli.shorthand import WithProjectOptions
from guide.cli.typed import parse_assignment, parse_budget
from guide.energy import open_energy_meters
from guide.errors import GuideError, UsageError
from guide.folders import Written, begin, write_all
from guide.hud import Screen, Watcher
from guide.journal import Journal
from guide.keys import keys
from guide.loop import Loop
from guide.plugin import load
from guide.plugins import Plugins, explain
from guide.project import Project, find_project, make_task, read_project, source_state
from guide.readback import read_record
from guide.realtime import realtime as ask_realtime
from guide.record import closing_record, opening_record
from guide.replay import Replay, Replayed
from guide.resources import Meter, ProcessMeter, Reading, Sampler, Unavailable
from guide.run import Failure, Run, Task, drive
from guide.stopping import stop_signals
from guide.threads import ThreadsMeter

if TYPE_CHECKING:
    from guide.live import Live

# Free time before the next tick in which garbage may be collected.
_COLLECT_SLACK_NS = 3_000_000


@click.command("run", cls=WithProjectOptions)
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
@click.option("--budget-ms", type=float, metavar="MS", help="Time a tick has, from when it is due.")
@click.option("--time-budget", metavar="TIME", help="End the run when it is spent: 90s, 10m.")
@click.option("--memory-budget", metavar="SIZE", help="End the run when it is passed: 2GB.")
@click.option("--energy-budget", metavar="ENERGY", help="End the run when it is spent: 500J, 1Wh.")
@click.option("--live", is_flag=True, help="Show the run in a browser as well; says where.")
@click.option(
    "--live-port",
    type=click.IntRange(1, 65535),
    metavar="PORT",
    help="The same, on this port of 127.0.0.1.",
)
@click.option("--realtime", is_flag=True, help="Ask the machine for all it grants a punctual loop.")
@click.option(
    "--replay", type=click.Path(path_type=Path), metavar="RUN", help="Run RUN again, and compare."
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
    budget_ms: float | None,
    time_budget: str | None,
    memory_budget: str | None,
    energy_budget: str | None,
    live: bool,
    live_port: int | None,
    realtime: bool,
    replay: Path | None,
    traceback: bool,
) -> None:
    """Run the project at PATH, or the one you are in.

    Shows it live on a terminal, as log lines in a pipe. Ctrl-C ends the run and writes its
    report; a second Ctrl-C ends it at once. The record goes to runs/<time>/: run.json, a trace
    that opens in Perfetto, report.html. Options of the project may be typed as if they were of
    this command: --source 0 is --set source=0.

    A budget of time, memory or energy warns at 80 % and ends the run at 100 %. --replay runs a
    recorded run again in its own time and stops at the first tick that comes out otherwise.

    Several processes of one run: torchrun --nproc-per-node=2 -m guide run.
    """
    limits = {"--seconds": seconds, "--ticks": ticks, "--rate": rate, "--budget-ms": budget_ms}
    for name, value in limits.items():
        if value is not None and not 0 < value < float("inf"):
            raise UsageError(f"{name} {value:g} is not above 0")
    if free and rate is not None:
        raise UsageError("--free and --rate contradict each other", "give one of them")
    if realtime and (free or replay):
        other = "--free" if free else "--replay"
        raise UsageError(f"--realtime and {other} contradict each other", "give one of them")
    rank = ranks.here()
    project = read_project(path or Path.cwd())
    recorded = _recorded(replay, [*limits.values(), free or None, *assignments, seed or None])
    typed = {"time": time_budget, "memory": memory_budget, "energy": energy_budget}
    budgets = [parse_budget(name, text) for name, text in typed.items() if text is not None]
    options = {**project.options, **dict(map(parse_assignment, assignments))}
    if recorded is None:
        loop = make_loop(project, seconds, ticks, rate, free, budget_ms)
    else:
        options, seed = recorded.record["options"], recorded.record["seed"]
        loop = recorded.loop()
    view = _live(live_port or 0) if (live or live_port) and not rank.rank else None
    with ranks.silent(rank):
        task = load_task(project, traceback)  # last: importing it may take seconds
    if recorded is not None:
        task = Replayed(task, recorded)
    opening = opening_record(
        project.name, project.track, loop, options, seed, source_state(project.folder)
    )
    begun = begin(rank.runs(project.runs), opening)
    work = Run(loop, project=project.folder, folder=begun.folder, options=options, seed=seed)
    with ranks.silent(rank):
        with contextlib.suppress(
            OSError
        ):  # a full disk behind stdout must not keep it from running
            click.echo(f"{project.name}: starting ...")
            if view is not None:
                click.echo(view.line)
        Session(project, work, task, opening, begun, budgets, realtime, view).run(traceback)


def _live(port: int) -> Live:
    from guide.live import Live  # what it takes to be a server is imported by who asked for it

    return Live(port)


def _recorded(replay: Path | None, typed: Sequence[Any]) -> Replay | None:
    """The run to replay, if that was asked for."""
    if replay is None:
        return None
    if any(value is not None for value in typed):
        raise UsageError(
            "--replay takes rate, length, options and seed from the recorded run",
            f"guide run --replay {replay}",
        )
    folder = find_run(replay)
    return Replay(read_record(folder), folder.name)


class Session:
    """One run and all that goes on beside its loop: meters, display, journal, keys."""

    def __init__(
        self,
        project: Project,
        work: Run,
        task: Task,
        opening: dict[str, Any],
        begun: Written,
        budgets: Sequence[Budget] = (),
        realtime: bool = False,
        live: Live | None = None,
    ) -> None:
        self.project, self.work, self.task = project, work, task
        self.opening, self.begun = opening, begun
        self.realtime, self.live = realtime, live
        self.pacing = ""  # what the machine granted
        self.plugins = Plugins()
        self.known = self.plugins.troubles
        meters, absent = _meters(self.plugins, any(b.name == "memory" for b in budgets))
        self.budgets = Budgets(budgets)
        if budgets:
            self.budgets.require([r for meter in meters for r in _readings(meter)])
        self.sampler = Sampler(meters, work.clock.now_ns, on_sample=self._on_sample)
        self.sampler.failed += absent
        self.journal = Journal(begun.folder, work, self.sampler)
        self.watcher: Watcher | None = None
        self.starting = True
        self.collect = False  # garbage, between ticks: nobody else does
        self.dump = False  # somebody asked for a flight record

    def run(self, traceback: bool, *, ends: bool = True) -> None:
        """Run it, write its record, and say how it went; what to type next if that `ends` it."""
        work, loop = self.work, self.work.loop
        loop.timeline.name_thread("loop")
        loop.between = self._between
        with (
            contextlib.ExitStack() as given,
            keys(loop) as give_back,
            stop_signals(self._stop, give_back or (lambda: None)),
            _dump_signal(self._ask_dump),
        ):
            screen = _screen(self.project, work, self.sampler, self.budgets, bool(give_back))
            self.watcher = Watcher(screen)
            if self.live is not None:
                about = (self.project.name, self.project.track, work, self.sampler)
                self.live.show(*about, self.budgets.record)
            try:
                drive(self.task, work, on_start=lambda: self._on_start(given))
            finally:
                given.close()  # first: what is granted is for the loop alone
                for part in (self.journal, self.watcher, self.sampler):
                    part.stop()
                self.sampler.count_into(loop.timeline)
            written, record = self._record()
            if self.live is not None:
                self.live.end(written.folder / "report.html")
        if not ranks.here().rank:  # it is one run, and rank 0 has its report
            self.plugins.run_finished(record)
        for status in self.plugins.troubles:
            if status not in self.known:  # it failed during this very run
                click.echo(status.line, err=True)
        trouble = written.trouble or self.begun.trouble
        if work.failure is not None:
            _fail(work.failure, record, written.folder, traceback)
        click.echo(f"\n{summary(record)}\n\nreport  {_short(written.folder / 'report.html')}")
        if ends:
            click.echo(f"\nNext: guide report {_named(self.project, written.folder)}--open")
        if trouble:
            raise GuideError(trouble)

    def _on_start(self, given: contextlib.ExitStack) -> None:
        self.starting = False
        self.sampler.start()
        self.journal.start()
        if self.watcher is not None:
            self.watcher.start()
        if self.realtime:  # last: threads begun after it would inherit some of it
            grants = given.enter_context(ask_realtime(self.work.clock))
            self.pacing = grants.line
            self.collect = grants.collect_between
            click.echo(f"realtime: {self.pacing}")

    def _on_sample(self) -> None:
        """On the sampler's thread, ten times a second."""
        self.work.timeline.fold()
        if not self.work.started_ns:
            return
        elapsed_s = (self.work.clock.now_ns() - self.work.started_ns) / 1e9
        for line in self.budgets.check(self.sampler.latest(), elapsed_s):
            self.work.note(line)
            if ranks.here().rank:
                continue
            with contextlib.suppress(OSError):  # nobody listens any more: the run goes on
                click.echo(line, err=True)
        if self.budgets.spent:
            self.work.stop(self.budgets.spent)

    def _between(self, index: int, left_ns: int) -> None:
        if self.live is not None and self.live.between(left_ns):
            left_ns = 0  # the time that was left went into a picture
        if self.collect and left_ns > _COLLECT_SLACK_NS and gc.get_count()[0] > 700:
            # Old generations rarely: each takes as long as there are objects.
            gc.collect(1 if index % 1024 else 2)
        if self.dump:
            self.dump = False
            self.work.loop.misses.keep_flight(self.work.loop.log.count - 1, "signal")

    def _ask_dump(self) -> None:
        self.dump = True  # no more: the handler may have come anywhere

    def _stop(self) -> None:
        self.work.loop.stop("interrupted")
        if self.starting:
            raise KeyboardInterrupt

    def _record(self) -> tuple[Written, dict[str, Any]]:
        card = cached_card()
        about = {
            "budgets": self.budgets.record(),
            "pacing": {"realtime": self.realtime, "text": self.pacing},
            "card": None if card is None else card.summary(),
        }
        record = closing_record(self.opening, self.work, self.sampler, about)
        if self.journal.trouble:
            record["notes"].append(self.journal.trouble)
        record["notes"] += explain(self.plugins, record)
        record["notes"] += [s.line for s in self.plugins.troubles if s not in self.known]
        written = write_all(self.begun.folder, record, self.work)
        self.journal.remove()
        return written, record


@contextlib.contextmanager
def _dump_signal(ask: Callable[[], None]) -> Iterator[None]:
    """Within the block, SIGUSR1, where there is one, keeps the ticks around that moment."""
    number = getattr(signal, "SIGUSR1", None)
    if number is None or threading.current_thread() is not threading.main_thread():
        yield
        return
    before = signal.signal(number, lambda *_: ask())
    try:
        yield
    finally:
        signal.signal(number, before)


def make_loop(
    project: Project,
    seconds: float | None,
    ticks: int | None,
    rate: float | None,
    free: bool,
    budget_ms: float | None,
) -> Loop:
    """The loop that a project and what was typed ask for.

    Raises:
        UsageError: when it cannot be.
    """
    rate_hz = None if free else rate or project.rate_hz
    # A budget that was stated for one rate says nothing of another.
    budget_s = project.budget_s if rate is None else None
    if free and budget_s is None and project.rate_hz is not None:
        budget_s = 1 / project.rate_hz
    if budget_ms is not None:
        budget_s = budget_ms / 1000
    try:
        return Loop(rate_hz, project.overrun, budget_s=budget_s, ticks=ticks, seconds=seconds)
    except ValueError as error:
        raise UsageError(str(error)) from None


def load_task(project: Project, traceback: bool) -> Task:
    """The project's task; with `traceback`, an error of its import is shown whole."""
    try:
        return make_task(project)
    except GuideError as error:
        if traceback and error.__cause__ is not None:
            click.echo("".join(format_exception(error.__cause__)), err=True)
        raise


def _meters(plugins: Plugins, children: bool) -> tuple[list[Meter], list[str]]:
    """What is to be read during the run; with a budget of memory, child processes count too."""
    process = ProcessMeter(children=children)
    energy, absent = open_energy_meters(cpu_ns=process.cpu_ns)
    meters: list[Meter] = [process, *energy]
    lines = list(absent)
    with contextlib.suppress(Unavailable):  # an account of the scheduler's, on Linux alone
        meters.append(ThreadsMeter())
    for spec in plugins.meters():
        try:
            meters.append(load(spec.factory)())
        except (Exception, SystemExit) as error:  # a stranger's meter: said, and left out
            lines.append(f"{spec.name}: {error}")
    return meters, lines


def _readings(meter: Meter) -> Sequence[Reading]:
    try:
        meter.start()
        return meter.read().readings
    except Exception:  # a stranger's meter: the sampler says what is wrong with it
        return ()


def _screen(
    project: Project, work: Run, sampler: Sampler, budgets: Budgets, steered: bool
) -> Screen:
    encoding = (sys.stdout.encoding or "").lower()
    return Screen(
        f"{project.name}, {project.track}",
        work,
        sampler,
        colour=sys.stdout.isatty() and not os.environ.get("NO_COLOR"),
        unicode="utf" in encoding,
        keys=steered,
        budgets=budgets.record,
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
    error = GuideError(ranks.here().signed(f"{where}{failure.message}"), remedy)
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
