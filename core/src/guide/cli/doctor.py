"""`guide doctor`."""

from __future__ import annotations

import json
import sys
from collections.abc import Sequence
from dataclasses import asdict

import click

from guide.ceilings import Ceiling, measure
from guide.plugin import Finding
from guide.plugins import Plugins

_SIGNS = {"ok": ("✓", "green"), "note": ("·", "blue"), "problem": ("✗", "red")}


@click.command("doctor")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--quick", is_flag=True, help="Do not measure what the machine can do.")
def doctor(as_json: bool, quick: bool) -> None:
    """Say what this machine has, lacks and can do.

    Measures a few of its limits (under two seconds), then asks every plugin what it finds. A
    problem comes with what to type, and makes the exit code 1.
    """
    findings, ceilings = examine(quick)
    if as_json:
        lines = [{"plugin": name, **asdict(finding)} for name, finding in findings]
        limits = [asdict(ceiling) for ceiling in ceilings]
        click.echo(json.dumps({"findings": lines, "ceilings": limits}, indent=2))
    else:
        show(findings, ceilings)
    if any(finding.status == "problem" for _, finding in findings):
        sys.exit(1)


def examine(quick: bool = False) -> tuple[list[tuple[str, Finding]], list[Ceiling]]:
    """What every plugin finds, each with the plugin's name; and the limits, unless `quick`."""
    plugins = Plugins()
    findings = plugins.findings()
    findings += [
        (status.name, Finding(status.state, "problem", status.line))
        for status in plugins.troubles
        if status.state != "disabled"
    ]
    return findings, [] if quick else measure()


def show(findings: Sequence[tuple[str, Finding]], ceilings: Sequence[Ceiling]) -> None:
    """Print them for a person."""
    last = ""
    for name, finding in findings:
        if name != last:
            title = "this machine" if name == "foundations" else name
            click.secho(f"{'' if not last else chr(10)}{title}", bold=True)
            last = name
        _print(finding)
    if ceilings:
        click.secho("\nwhat it can do, measured just now", bold=True)
        for ceiling in ceilings:
            click.echo(f"    {ceiling.name:22} {ceiling.text:>11}   {ceiling.why}")


def _print(finding: Finding) -> None:
    sign, colour = _SIGNS[finding.status]
    encoding = (sys.stdout.encoding or "ascii").lower()
    if "utf" not in encoding:
        sign = {"ok": "+", "note": "-", "problem": "!"}[finding.status]
    click.echo(f"  {click.style(sign, fg=colour)} {finding.name:22} {finding.detail}")
    if finding.remedy:
        click.echo(f"    {'':22} {click.style(finding.remedy, fg='yellow')}")
