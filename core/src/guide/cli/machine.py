"""`guide machine`."""

from __future__ import annotations

import json
import sys
import webbrowser
from dataclasses import asdict

import click

from guide.ceilings import Card, cached, measure, store
from guide.ceilings.terminal import lines
from guide.errors import GuideError


@click.command("machine")
@click.option("--quick", is_flag=True, help="Be done in 3 s: fewer trials, fewer figures.")
@click.option("--json", "as_json", is_flag=True, help="Print JSON.")
@click.option("--again", is_flag=True, help="Measure anew, whatever is kept.")
@click.option("--open", "show", is_flag=True, help="Open the card as a page in a browser.")
def machine(quick: bool, as_json: bool, again: bool, show: bool) -> None:
    """Measure what this machine can do: its ceilings.

    How far away memory is and how fast, how fast it computes, how late it wakes, what starting
    a program costs, the disk, the GPU. It takes 10 s, once: the card is kept, and reports
    divide by it. Close what else is running first.
    """
    card = None if again else cached()
    if card is None or (card.quick and not quick):
        card = measured(quick)
    page, trouble = None, None
    try:
        page = store(card)
    except GuideError as error:
        trouble = error
    if as_json:
        click.echo(json.dumps(asdict(card), indent=2))
    else:
        click.echo("\n".join(lines(card, "utf" in (sys.stdout.encoding or "").lower())))
    if trouble:
        click.echo(f"guide: {trouble}", err=True)
    elif not as_json:
        click.echo(f"\npage  {page}")
        following = "" if card.quick else "--again" if card.noisy else "--open"
        click.echo(f"\nNext: guide machine {following}".rstrip())
    if show and (page is None or not webbrowser.open(page.resolve().as_uri())):
        raise GuideError("no browser could be opened", f"open this file yourself: {page}")


def measured(quick: bool) -> Card:
    """Measure, and on a terminal say meanwhile what."""
    if not sys.stderr.isatty():
        return measure(quick)
    card = measure(
        quick, lambda what: click.echo(f"\r\x1b[Kmeasuring {what} ...", nl=False, err=True)
    )
    click.echo("\r\x1b[K", nl=False, err=True)
    return card
