"""`guide explain`."""

from __future__ import annotations

import json
from pathlib import Path

import click

from guide.cli.shared import terminal
from guide.explain.target import explain_target
from guide.explain.telling import Teller
from guide.explain.written import written
from guide.learn.contents import all_exercises, all_sections
from guide.plugins import Plugins


@click.command("explain")
@click.argument("target", required=False, type=click.Path(path_type=Path))
@click.option("--json", "as_json", is_flag=True, help="Print the answer as JSON.")
@click.option("--all", "everything", is_flag=True, help="Say all of every verdict.")
def explain(target: Path | None, as_json: bool, everything: bool) -> None:
    """Say where the time of TARGET went, in plain words, and what to do about it.

    TARGET is a trace file, the folder or name of a run (the last one by default), or
    module:function for what Numba compiles.
    """
    plugins = Plugins()
    found = explain_target(target, plugins)
    if as_json:
        click.echo(json.dumps(written(found.answer)))
        return
    known = {item.id for of in (all_sections, all_exercises) for item in of(plugins)}
    _, columns, color, _ = terminal()
    teller = Teller(columns, color, known)
    click.echo("\n".join(teller.answer(found.answer, everything=everything)), color=color)
