"""`guide profile`."""

from __future__ import annotations

import os
import shlex
from pathlib import Path
from typing import Any

import click

from guide.cli.explain import show
from guide.cli.run import Session, load_task, make_loop
from guide.cli.shared import terminal
from guide.cli.shorthand import WithProjectOptions
from guide.cli.typed import parse_assignment
from guide.errors import GuideError, UsageError
from guide.explain.profiling import NoStepError, Program, parse_program, record_program
from guide.explain.sampling import Sampled
from guide.folders import begin
from guide.plugin import Profiler, load
from guide.plugins import Plugins
from guide.project import find_project, read_project, source_state
from guide.record import opening_record
from guide.run import Run
from guide.trace import FILES
from guide.units import duration

_RECORD = "run.json"
_OUT = Path("torch.json.gz")
_SECONDS = 5.0  # of a run whose timeline is all there is to look at
_MOST_PATIENCE_S = 86_400.0


class _ProjectOrProgram(WithProjectOptions):
    """Options before a program are ours; all behind it are the program's."""

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        """Find where a program begins, and leave alone what follows."""
        flags = {name for p in self.get_params(ctx) for name in p.opts if not self._value(p)}
        values = {name for p in self.get_params(ctx) for name in p.opts if self._value(p)}
        at = 0
        while at < len(args):
            word = args[at]
            if word in values:
                at += 2
            elif word in flags or word.partition("=")[0] in values:
                at += 1
            elif word == "--" or (word.startswith("--") or Path(word).is_dir()):
                break  # a project's: its own options may follow
            else:
                args = [*args[:at], "--", *args[at:]]
                break
        return super().parse_args(ctx, args)

    def _value(self, param: click.Parameter) -> bool:
        return isinstance(param, click.Option) and not param.is_flag and param.name != "help"


@click.command(
    "profile",
    cls=_ProjectOrProgram,
    context_settings={"help_option_names": ["-h", "--help"]},  # also when called by itself
)
@click.argument("what", nargs=-1, type=click.UNPROCESSED, metavar="[PROJECT | COMMAND ...]")
@click.option(
    "--steps",
    type=click.IntRange(1, 100),
    default=5,
    show_default=True,
    metavar="N",
    help="Steps to record.",
)
@click.option(
    "--warm",
    type=click.IntRange(0, 1000),
    metavar="N",
    help="Steps to time before, with no profiler; 3 to 20 by default, the shorter the more. "
    "0: record from the second step on.",
)
@click.option(
    "--set",
    "assignments",
    multiple=True,
    metavar="NAME=VALUE",
    help="Set an option of the project.",
)
@click.option(
    "-o",
    "--output",
    type=click.Path(path_type=Path),
    metavar="FILE",
    help="Where a command's trace goes; torch.json.gz by default.",
)
@click.option("--to-the-end", is_flag=True, help="Let the command go on once it is recorded.")
@click.option(
    "--patience",
    type=float,
    default=10.0,
    show_default=True,
    metavar="S",
    help="How long to wait for an optimizer's step before another kind is looked for.",
)
@click.option("--traceback", is_flag=True, help="Show the whole traceback of an error.")
def profile(
    what: tuple[str, ...],
    steps: int,
    warm: int | None,
    assignments: tuple[str, ...],
    output: Path | None,
    to_the_end: bool,
    patience: float,
    traceback: bool,
) -> None:
    """Take a trace of a project or of a Python command, and explain it.

    With a command, such as `guide profile python train.py --epochs 1`, some of its steps are timed,
    a few are recorded, and then it is ended; its file is not touched. With a project, or in one,
    it is a run as `guide run` makes them, with its report.
    """
    if not what or (len(what) == 1 and Path(what[0]).is_dir()):
        _project(Path(what[0]) if what else Path.cwd(), steps, warm, assignments, traceback)
    elif assignments:
        raise UsageError("--set is for projects", "type a command's own options behind it")
    else:
        _program(what, output, steps, warm, patience, to_the_end)


def _program(
    words: tuple[str, ...],
    output: Path | None,
    steps: int,
    warm: int | None,
    patience: float,
    to_the_end: bool,
) -> None:
    if not 0 < patience <= _MOST_PATIENCE_S:
        raise UsageError(
            "--patience takes seconds, above 0 and up to a day", "such as: --patience 10"
        )
    program = parse_program(words)
    profiler = _profiler(None)
    out = output or _OUT
    _check(out)
    earlier = None if output else _kept(out)
    click.echo(f"{program.name}: some steps are timed, {steps} recorded ...")
    try:
        well = record_program(
            program,
            profiler,
            out,
            warm=warm,
            steps=steps,
            patience_s=patience,
            to_the_end=to_the_end,
        )
    except BaseException as error:
        if earlier is not None:
            earlier.replace(out)
        if isinstance(error, NoStepError) and _whole(program, out):
            return
        raise
    click.echo()
    explain(out, earlier)
    if not well:
        raise GuideError(f"{program.name} failed, after {out} was recorded", "see above")


def _whole(program: Program, out: Path) -> bool:
    """Say where the time of a program that makes no steps went; whether that is known."""
    from guide.explain.answer import Answer
    from guide.explain.target import own_lines
    from guide.explain.telling import Teller
    from guide.explain.whole import SUFFIX, read_whole

    file = out.with_name(out.name + SUFFIX)
    seen = read_whole(file, program.folder)
    if seen is None or seen.get("uses"):  # one of torch's has steps, that are to be found
        return False
    lines = own_lines({**seen, "ticks": 1}, seen["ns"])
    if not lines:
        return False
    answer = Answer(program.name, "trace", seen["ns"], lines=lines)
    _, columns, color, _ = terminal()
    teller = Teller(columns, color)
    click.echo()
    took = duration(seen["ns"])
    head = f"{program.name} makes no steps of torch's, so all of its {took} were looked at."
    for line in (*teller.lines(head, style="bold"), *teller.sampled(answer)):
        click.echo(line)
    module = "-m " * program.module
    command = (
        f"python -m cProfile -s cumtime {module}{shlex.join([program.name, *program.arguments])}"
    )
    click.echo()
    for line in teller.lines(f"Next: {command}, which counts the calls of its functions"):
        click.echo(line)
    return True


def _check(out: Path) -> None:
    """Refuse, before anything runs, a file that could not be written or not be explained after."""
    if out.is_dir():
        raise UsageError(f"{out} is a folder", f"name a file in it: -o {out / _OUT}")
    if not out.absolute().parent.is_dir():
        raise UsageError(f"{out.parent} is no folder", "name a file in one: -o FILE")
    if not out.name.endswith((".json", ".json.gz")):
        raise UsageError(f"{out} is no name for a trace", "end it in .json.gz")
    if out.name in (_RECORD, *FILES) and (out.parent / _RECORD).exists():
        raise UsageError(f"{out} is part of a run", f"name another: -o {out.with_name(str(_OUT))}")
    if out.exists() and not out.is_file():
        raise UsageError(f"{out} exists, and is no file", "name another: -o FILE")
    if not os.access(out.absolute().parent, os.W_OK):
        raise UsageError(f"{out.absolute().parent} cannot be written in", "name a file: -o FILE")


def _kept(out: Path) -> Path | None:
    """Set aside the trace that was there: the next question is what has changed since."""
    if not out.exists():
        return None
    earlier = out.with_name("torch-before.json.gz")
    out.replace(earlier)
    return earlier


def _project(
    path: Path, steps: int, warm: int | None, assignments: tuple[str, ...], traceback: bool
) -> None:
    if find_project(path) is None:
        raise UsageError(
            f"{path.resolve()} is no project",
            "name a program instead: guide profile python train.py",
        )
    project = read_project(path)
    wraps = next((p for p in Plugins().profilers() if p.track == project.track and p.task), None)
    options: dict[str, Any] = {**project.options, **dict(map(parse_assignment, assignments))}
    loop = make_loop(project, _SECONDS if wraps is None else None, None, None, False, None)
    task = load_task(project, traceback)
    state = source_state(project.folder)
    opening = opening_record(project.name, project.track, loop, options, 0, state)
    begun = begin(project.runs, opening)
    if wraps is not None:
        task = load(wraps.task)(task, begun.folder, warm=warm, steps=steps)
    else:
        task = Sampled(task, begun.folder)
    work = Run(loop, project=project.folder, folder=begun.folder, options=options)
    click.echo(f"{project.name}: starting ...")
    Session(project, work, task, opening, begun).run(traceback, ends=False)
    click.echo()
    explain(begun.folder, None)


def _profiler(track: str | None) -> Profiler:
    for profiler in Plugins().profilers():
        if profiler.program and track in (None, profiler.track):
            return profiler
    raise GuideError(
        "nothing installed here takes a trace of a program",
        "the plugin for deep learning does: pip install guide-deep-learning",
    )


def explain(file: Path, before: Path | None) -> None:
    """Say what the trace shows, as `guide explain` does."""
    show((file,))
    if before is not None:
        was, now = (shlex.quote(os.path.relpath(each)) for each in (before, file))
        click.echo(f"The trace that was here is kept: guide explain {was} {now}")
