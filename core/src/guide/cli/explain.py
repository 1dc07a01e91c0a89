"""`guide explain`."""

from __future__ import annotations

import json
import shlex
from collections.abc import Iterable, Sequence
from pathlib import Path

import click

from guide.cli.shared import terminal
from guide.errors import GuideError, UsageError
from guide.explain.sampling import NAME as SAMPLES
from guide.explain.target import PAGE, Explained, explain_target
from guide.explain.telling import Teller
from guide.explain.versus import Versus, written_versus
from guide.explain.written import written
from guide.learn.contents import all_exercises, all_sections
from guide.plugins import Plugins
from guide.record import replaceable

_ELSEWHERE = "choose another place: --html FILE"


@click.command("explain")
@click.argument("targets", nargs=-1, type=click.Path(path_type=Path), metavar="[TARGET] [OTHER]")
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.option(
    "--html",
    type=click.Path(path_type=Path, dir_okay=False),
    metavar="FILE",
    help="Write the page with a typical step drawn to FILE; a run's goes beside it anyway.",
)
@click.option("--no-html", is_flag=True, help="Write no page.")
@click.option("--all", "everything", is_flag=True, help="Say all of every verdict.")
@click.option(
    "--like",
    default="",
    metavar="TYPES",
    help='Compile a function for these types, such as "float32[::1], int64".',
)
@click.option("--as-njit", is_flag=True, help="Look at a plain function as if it had @njit.")
def explain(
    targets: Sequence[Path],
    as_json: bool,
    html: Path | None,
    no_html: bool,
    everything: bool,
    like: str,
    as_njit: bool,
) -> None:
    """Say where the time of TARGET went, in plain words, and what to do about it.

    TARGET is a trace file, a run (its folder or name; the last one by default), or
    module:function for what Numba compiles. With two, the first is from before a change: what
    got better, and what is next.
    """
    show(
        targets,
        as_json=as_json,
        html=html,
        no_html=no_html,
        everything=everything,
        like=like,
        as_njit=as_njit,
    )


def show(
    targets: Sequence[Path],
    *,
    as_json: bool = False,
    html: Path | None = None,
    no_html: bool = False,
    everything: bool = False,
    like: str = "",
    as_njit: bool = False,
) -> None:
    """Explain one target, or two, as the command does.

    Raises:
        GuideError: when that cannot be.
    """
    if len(targets) > 2:
        raise UsageError("at most two can be held against each other", "guide explain BEFORE AFTER")
    if html and no_html:
        raise UsageError("--html and --no-html are opposites", "leave one of them out")
    if html:
        _is_free(html)
    plugins = Plugins()
    found = [
        explain_target(target, plugins, like=like, as_njit=as_njit)
        for target in (targets or (None,))
    ]
    if html:
        _is_no_input(html, (file for each in found for file in each.read))
    subject, notes = found[-1], []
    versus, last = None, ""
    if len(found) == 2:
        versus = _versus(*found)
        document = written_versus(versus, [written(each.answer) for each in found])
    else:
        if subject.folder is not None and subject.record is not None:
            from guide.explain.kept import last_time

            last = last_time(subject.folder, subject.record, subject.answer)
        document = written(subject.answer)
    notes += [_keep(each) for each in found]
    known = {item.id for of in (all_sections, all_exercises) for item in of(plugins)}
    beside = subject.folder / PAGE if subject.folder else None
    file = html or (None if as_json or no_html else beside)
    if file is not None:
        from guide.explain.page import page

        text = page(subject.answer, subject.trace, known=known, last=last, versus=versus)
        trouble = _write(file, text)
        if trouble and html:
            raise GuideError(trouble, _ELSEWHERE)
        notes.append(f"no page is written: {trouble}" if trouble else "")
        file = None if trouble else file
    if as_json:
        click.echo(json.dumps(document))
        return
    _, columns, color, _ = terminal()
    teller = Teller(columns, color, known)
    if versus is not None:
        lines = [*teller.versus(versus, everything=everything)]
    else:
        lines = [*teller.answer(subject.answer, everything=everything, last=last)]
    flags = (f" --like {shlex.quote(like)}" if like else "") + " --as-njit" * as_njit
    lines += ["", *teller.ending(_next(subject, targets, flags), file)]
    for note in dict.fromkeys(filter(None, notes)):
        lines += teller.lines(f"Note: {note}.")
    click.echo("\n".join(lines), color=color)


def _keep(found: Explained) -> str:
    """Keep what was promised of a run; says in a line what was in the way, else nothing."""
    if found.folder is None:
        return ""
    from guide.explain.kept import keep

    return keep(found.folder, found.answer)


def _write(file: Path, text: str) -> str:
    """Write the page; says in a line what was in the way, else nothing."""
    from guide.explain.page import write_page

    try:
        write_page(file, text)
    except OSError as error:
        return f"{file}: {error.strerror or error}"
    return ""


def _is_free(html: Path) -> None:
    """See that a page may be put there, before anything takes its time."""
    try:
        replaceable(html)
    except OSError as error:
        raise GuideError(f"{html}: {error.strerror or error}", _ELSEWHERE) from None


def _is_no_input(html: Path, read: Iterable[Path]) -> None:
    if not html.exists():
        return
    for file in read:
        if file.exists() and html.samefile(file):
            raise GuideError(f"{html} is what was to be explained", _ELSEWHERE)


def _next(found: Explained, targets: Sequence[Path], flags: str = "") -> str:
    """What to type next; `flags` are those that a function was explained with."""
    worth = found.answer.worth
    if found.folder is not None:
        return _next_of_run(found, found.folder)
    if found.further and not worth:
        return f"guide explain {shlex.quote(found.further[0])}"
    if found.answer.unsettled and found.answer.unit == "call":
        return "call it on arguments of your own: NUMBA_BOUNDSCHECK=1 python SCRIPT"
    taken = found.trace is not None and "guide" in found.trace.about  # by guide profile
    if found.answer.unsettled and not taken:
        return "guide profile SCRIPT, which takes five warm steps, the device's work and stacks"
    typed = shlex.quote(str(targets[-1]))
    if found.answer.unit == "call":
        again = f"change it, then: guide explain {typed}{flags}"
        return again if worth else "guide explain another one"
    if worth:
        return f"mend 1, take another trace, and hold it against this: guide explain {typed} NEW"
    return f"see it drawn: guide explain {typed} --html explain.html"


def _next_of_run(found: Explained, folder: Path) -> str:
    """What to type next about a run: a profile and a run see different things of a project."""
    if found.answer.unit == "step":
        if found.answer.worth:
            return "mend 1, then: guide profile, which says what it gave back"
        return (
            "guide run --ticks 100, then guide explain: what happens in one step of many, such as "
            "evaluating, is in no recorded step"
        )
    inside = "" if (folder / SAMPLES).exists() else "guide profile looks inside of a tick"
    if found.answer.worth:
        again = "mend 1, then: guide run, and guide explain says what it gave back"
        return f"{again}; {inside}" if inside else again
    report = "guide report has the whole of the run"
    return f"{inside}; {report}" if inside else report


def _versus(before: Explained, after: Explained) -> Versus:
    runs = (before.folder, after.folder)
    if runs[0] and runs[1] and after.record:
        from guide.explain.kept import against

        found = against(before.answer, runs[0], after.answer, runs[1], after.record)
        if found is not None:
            return found
    if before.answer.unit != after.answer.unit:
        units = f"a {before.answer.unit} and a {after.answer.unit}"
        raise UsageError(f"{units} cannot be compared", "name two of a kind")
    return Versus(before.answer, after.answer)
