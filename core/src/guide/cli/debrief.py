"""What `guide check` and `guide watch` print of a result. Fits 60 columns."""

from __future__ import annotations

import shutil
import sys
import textwrap
from collections.abc import Iterator, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING

import click

from guide.units import duration, number, percent, quantity

if TYPE_CHECKING:
    from guide.judge.judging import Failure, Result, Speed
    from guide.judge.manifest import Manifest
    from guide.learn.progress import Standing
    from guide.plugin import Exercise

_NAMES = {"naive": "naive", "yours": "yours", "reference": "reference", "library": "library"}
_BAR = 12


def lines(
    exercise: Exercise, manifest: Manifest, result: Result, standing: Standing
) -> Iterator[str]:
    """The verdict, then what explains it; no line is wider than the terminal."""
    for line in _lines(exercise, manifest, result, standing):
        yield from fitted(line)


def _lines(
    exercise: Exercise, manifest: Manifest, result: Result, standing: Standing
) -> Iterator[str]:
    yield headline(exercise, result)
    if result.failure:
        yield from _failing(result.failure, exercise)
    if result.speed and result.state != "wrong":
        yield from _speed(manifest, result.speed)
    for name, value in result.counts.items():
        yield f"  {name}: {number(value)}{_bar_of(manifest, name)}"
    if result.printed and not result.passed:
        yield from (
            "",
            "Your file printed, at the end:",
            textwrap.indent(result.printed[-600:], "  "),
        )
    if result.passed:
        yield from _guesses(manifest, standing)
        if result.speed:
            yield ""
            yield from ladder(result.speed, manifest.threads)
        reason = first_paragraph(manifest.folder / "solution.md")
        if reason and result.state != "waived":
            yield ""
            yield from textwrap.wrap(reason, 58, initial_indent="  ", subsequent_indent="  ")
    if result.unconfined and not _only_landlock(result.unconfined):
        yield ""
        yield click.style(
            f"  weaker walls here: your file is not kept from {', '.join(result.unconfined)}",
            fg="yellow",
        )


def headline(exercise: Exercise, result: Result) -> str:
    """One line: a sign, the exercise, the state or what is missing."""
    name = f"{exercise.id} {exercise.title}"
    if result.passed:
        state = {"better": "better than the reference", "waived": "correct; the bar is waived"}
        if result.state == "waived" and not result.speed:
            return click.style(f"- {name}: waived; {result.message}", fg="yellow")
        said = state.get(result.state, result.state)
        return click.style(f"{'★' if result.state == 'better' else '✓'} {name}: {said}", fg="green")
    if result.state == "inconclusive":
        return click.style(f"? {name}: correct; {result.message}", fg="yellow")
    if result.state == "correct":
        what = "not fast enough yet: " if result.speed else "not there yet: "
        return click.style(f"✗ {name}: correct, {what}{result.message}", fg="yellow")
    return click.style(f"✗ {name}: {result.message}", fg="red")


def fitted(line: str) -> Iterator[str]:
    """A line broken to the width of the terminal; whole in a pipe. A style goes on over it all."""
    columns = min(shutil.get_terminal_size().columns, 100)
    plain = click.unstyle(line)
    if not sys.stdout.isatty() or len(plain) <= columns:
        yield line
        return
    indent = " " * (len(plain) - len(plain.lstrip()) + 2)
    start, _, end = line.partition(plain) if plain in line else ("", "", "")
    for part in textwrap.wrap(plain, columns, subsequent_indent=indent):
        yield f"{start}{part}{end}"


def ladder(speed: Speed, threads: int) -> Iterator[str]:
    """The variants that were timed here, slowest first, with what they move and this machine can.

    Args:
        speed: the times.
        threads: how many a variant may use, which decides what the machine's limit is.
    """
    ceiling = _ceiling(threads)
    slowest = max(speed.ns.values())
    moved, operations = speed.work.get("bytes", 0.0), speed.work.get("flops", 0.0)
    for name, ns in sorted(speed.ns.items(), key=lambda item: -item[1]):
        bar = "█" * max(round(_BAR * ns / slowest), 1)
        line = f"  {_NAMES.get(name, name):10}{bar:{_BAR}} {duration(ns):>9}"
        if moved:
            rate = moved / ns * 1e9
            line += f" {quantity(rate, 'B/s'):>10}"
            line += f" {percent(rate, ceiling):>5}" if ceiling else ""
        elif operations:
            line += f" {quantity(operations / ns * 1e9, 'FLOP/s'):>13}"
        yield click.style(line, bold=name == "yours")
    if moved and ceiling:
        yield f"  {'':10}% of this machine's {quantity(ceiling, 'B/s')} of memory bandwidth"
    elif moved:
        yield f"  {'':10}guide machine measures what share of this machine that is"


def first_paragraph(file: Path) -> str:
    """The reason, in short: the first paragraph of solution.md."""
    try:
        text = file.read_text(encoding="utf-8")
    except OSError:
        return ""
    parts = [part for part in text.split("\n\n") if part.strip() and not part.startswith("#")]
    return " ".join(parts[0].split()) if parts else ""


def _failing(failure: Failure, exercise: Exercise) -> Iterator[str]:
    for name in ("given", "expected", "got"):
        if value := getattr(failure, name):
            yield f"  {name:9}{value}"
    if failure.picture is not None:
        from guide.png import encode_png

        file = Path.cwd() / f"{exercise.id.replace('::', '_')}_difference.png"
        file.write_bytes(encode_png(failure.picture))
        yield f"  picture  {file.name}: expected, got, difference"


def _speed(manifest: Manifest, speed: Speed) -> Iterator[str]:
    over, bars = speed.standing.over_naive, manifest.bars
    assert bars is not None
    yield (
        f"  {over.median:.1f}x as fast as naive, surely {over.low:.1f} to {over.high:.1f}; "
        f"bar {bars.over_naive:g}x"
    )
    share = 100 * speed.standing.of_reference.median
    yield (
        f"  {share:.0f} % of the reference; {speed.rounds} rounds, {speed.seconds:.1f} s"
        + (f", machine {100 * speed.busy:.0f} % busy elsewhere" if speed.busy > 0.2 else "")
    )
    if bars.tiers:
        yield f"  {_tiers(bars.tiers, over.low)}"


def _tiers(tiers: Sequence[float], reached: float) -> str:
    """The tiers with a mark at those that were surely reached, and the next one."""
    said = "  ".join(f"{tier:g}x {'✓' if reached >= tier else '·'}" for tier in tiers)
    left = [tier for tier in tiers if reached < tier]
    return f"tiers {said}" + (f"  next: surely {left[0]:g}x" if left else "  all of them")


def _bar_of(manifest: Manifest, name: str) -> str:
    if name in manifest.most:
        return f"; at most {number(manifest.most[name])}"
    if name in manifest.least:
        return f"; at least {number(manifest.least[name])}"
    return ""


def _guesses(manifest: Manifest, standing: Standing) -> Iterator[str]:
    from guide.judge.written import told

    units: Mapping[str, str] = {question.key: question.unit for question in manifest.predict}
    for guess in standing.guesses:
        if guess.key in units and guess.measured is not None:
            unit = units[guess.key]
            off = f", off by {guess.off:.1f}x" if guess.off and guess.off > 1.05 else ""
            yield (
                f"  you predicted {told(guess.guessed, unit)}, "
                f"measured {told(round(guess.measured, 2), unit)}{off}"
            )


def _ceiling(threads: int) -> float:
    """Bytes a second that so many threads reach here; 0 where it was not measured."""
    from guide.ceilings import cached

    card = cached()
    value = card.value("triad.1" if threads == 1 else "triad.all") if card else None
    return (value or 0.0) * 1e9


def _only_landlock(missing: Sequence[str]) -> bool:
    """An older kernel without Landlock keeps everything else; that is not worth a line a check."""
    return list(missing) == ["files"]
