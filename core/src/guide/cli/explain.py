"""`guide explain`."""

from __future__ import annotations

import json
from collections.abc import Sequence
from pathlib import Path

import click

from guide.cli.shared import terminal
from guide.errors import GuideError, UsageError
from guide.explain.kept import against, keep, last_time
from guide.explain.page import NAME as PAGE
from guide.explain.page import page, write_page
from guide.explain.target import Explained, explain_target
from guide.explain.telling import Teller
from guide.explain.versus import Versus, written_versus
from guide.explain.written import written
from guide.learn.contents import all_exercises, all_sections
from guide.plugins import Plugins


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
def explain(
    targets: Sequence[Path], as_json: bool, html: Path | None, no_html: bool, everything: bool
) -> None:
    """Say where the time of TARGET went, in plain words, and what to do about it.

    TARGET is a trace file, a run (its folder or name; the last one by default), or
    module:function for what Numba compiles. With two, the first is from before a change: what
    got better, and what is next.
    """
    if len(targets) > 2:
        raise UsageError("at most two can be held against each other", "guide explain BEFORE AFTER")
    if html and no_html:
        raise UsageError("--html and --no-html are opposites", "leave one of them out")
    plugins = Plugins()
    known = [item.id for of in (all_sections, all_exercises) for item in of(plugins)]
    _, columns, color, _ = terminal()
    teller = Teller(columns, color, known)
    found = [explain_target(target, plugins) for target in (targets or (None,))]
    subject, versus, last = found[-1], None, ""
    lines: list[str] = []
    if len(found) == 2:
        versus = _versus(*found)
        document = written_versus(versus, [written(each.answer) for each in found])
        lines += teller.versus(versus, everything=everything)
    else:
        if subject.folder is not None and subject.record is not None:
            last = last_time(subject.folder, subject.record, subject.answer)
        document = written(subject.answer)
        lines += teller.answer(subject.answer, everything=everything, last=last)
    notes = [keep(each.folder, each.answer) for each in found if each.folder is not None]
    if not html and not no_html and not as_json and subject.folder is not None:
        html, asked = subject.folder / PAGE, False
    else:
        asked = True
    if html:
        text = page(subject.answer, subject.trace, known=known, last=last, versus=versus)
        try:
            write_page(html, text)
        except OSError as error:
            if asked:
                raise GuideError(f"{html}: {error.strerror or error}", "--html FILE") from None
            notes.append(f"no page is written: {html}: {error.strerror or error}")
            html = None
    if as_json:
        click.echo(json.dumps(document))
        return
    lines += ["", *teller.ending(_next(found[-1], targets), html)]
    for note in dict.fromkeys(note for note in notes if note):
        lines += teller.lines(f"Note: {note}")
    click.echo("\n".join(lines), color=color)


def _next(found: Explained, targets: Sequence[Path]) -> str:
    """What to type next."""
    if found.answer.unit == "call":
        return f"change it, then: guide explain {targets[-1]}"
    if found.folder is not None:
        if found.answer.worth:
            return "mend 1, then: guide run, and guide explain says what it gave back"
        return "guide report has the whole of the run"
    if found.answer.worth:
        return f"mend 1, take the trace again, then: guide explain {targets[-1]} NEW"
    return f"see it drawn: guide explain {targets[-1]} --html explain.html"


def _versus(before: Explained, after: Explained) -> Versus:
    runs = (before.folder, after.folder)
    if runs[0] and runs[1] and after.record:
        found = against(before.answer, runs[0], after.answer, runs[1], after.record)
        if found is not None:
            return found
    if before.answer.unit != after.answer.unit:
        units = f"a {before.answer.unit} and a {after.answer.unit}"
        raise UsageError(f"{units} cannot be compared", "name two of a kind")
    return Versus(before.answer, after.answer)
