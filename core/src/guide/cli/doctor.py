"""`guide doctor`."""

from __future__ import annotations

import contextlib
import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

import click

from guide.ceilings import Card, cached, measure, store
from guide.errors import GuideError
from guide.plugin import Finding
from guide.plugins import Plugins

_SIGNS = {"ok": ("✓", "green"), "note": ("·", "blue"), "problem": ("✗", "red")}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--quick", is_flag=True, help="Do not measure what the machine can do.")
def doctor(as_json: bool, quick: bool) -> None:
    """Say what this machine has, lacks and can do.

    Asks every plugin what it finds, and shows the machine card; where none is kept, it measures
    one in three seconds. A problem comes with what to type, and makes the exit code 1.
    """
    findings, card = examine(quick)
    if as_json:
        lines = [{"plugin": name, **asdict(finding)} for name, finding in findings]
        limits = [asdict(figure) for figure in card.figures] if card else []
        measured = card.measured if card else None
        found = {"findings": lines, "measured": measured, "ceilings": limits}
        click.echo(json.dumps(found, indent=2))
    else:
        show(findings, card)
    if any(finding.status == "problem" for _, finding in findings):
        sys.exit(1)


def examine(quick: bool = False) -> tuple[list[tuple[str, Finding]], Card | None]:
    """What every plugin finds, each with the plugin's name; and the card, unless `quick`."""
    plugins = Plugins()
    findings = plugins.findings()
    findings += [
        (status.name, Finding(status.state, "problem", status.line))
        for status in plugins.troubles
        if status.state != "disabled"
    ]
    card = None if quick else cached()
    if card is None and not quick:
        card = measure(quick=True)
        with contextlib.suppress(GuideError):  # then the next one measures again
            store(card)
    return findings, card


def show(findings: Sequence[tuple[str, Finding]], card: Card | None) -> None:
    """Print them for a person."""
    last = ""
    for name, finding in findings:
        if name != last:
            title = "this machine" if name == "foundations" else name
            click.secho(f"{'' if not last else chr(10)}{title}", bold=True)
            last = name
        _print(finding)
    if card:
        day = f"measured {card.measured[:10]}"
        click.secho(f"\nwhat it can do, {day}; guide machine says more", bold=True)
        for figure in card.main:
            why = f"   {figure.why}" if figure.steady else ""
            click.echo(f"    {figure.name:32} {figure.text:>14}{why}")


def _print(finding: Finding) -> None:
    sign, colour = _SIGNS[finding.status]
    encoding = (sys.stdout.encoding or "ascii").lower()
    if "utf" not in encoding:
        sign = {"ok": "+", "note": "-", "problem": "!"}[finding.status]
    click.echo(f"  {click.style(sign, fg=colour)} {finding.name:22} {finding.detail}")
    if finding.remedy:
        click.echo(f"    {'':22} {click.style(finding.remedy, fg='yellow')}")
