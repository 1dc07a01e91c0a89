"""An answer as text for a terminal, however narrow, or for whatever is at the end of a pipe."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import replace
from pathlib import Path

import click

from guide.explain.answer import Answer
from guide.explain.versus import Versus, held, measured, shift, slower
from guide.learn.cells import clusters, pad, width
from guide.plugin import Place, Verdict
from guide.units import duration, percent

WIDEST = 84
IN_FULL = 3
_LABEL = 8
_MEASURES = {"step": "a step", "tick": "a tick", "call": "a call", "trace": "the trace"}
SURE = {
    "sure": "sure: it was measured",
    "likely": "likely: it is the usual reason",
    "perhaps": "perhaps: other reasons would look the same",
}
# Spaces to break at: not the one between a figure and its unit
_LEFT = 0.02  # of a step: more than that is left of any
_BREAKS = re.compile(r" (?!(?:%|[nµm]?s|[kMGT]?B|[kMGT]?B/s)(?![\w/]))|(?<!\d) ")


class Teller:
    """Writes lines of so many columns.

    Args:
        columns: of the terminal.
        color: whether it has colours.
        known: ids of the sections and exercises that are installed; no other is named.
    """

    def __init__(self, columns: int, color: bool, known: Iterable[str] = ()) -> None:
        self.columns, self.color, self.known = max(min(columns, WIDEST), 24), color, set(known)

    def answer(
        self,
        answer: Answer,
        *,
        everything: bool = False,
        first: str = "",
        last: str = "",
        full: int = IN_FULL,
    ) -> Iterator[str]:
        """All of an answer.

        Args:
            answer: it.
            everything: whether every verdict is told in full, or `full` of them.
            first: what stands first, instead of the headline.
            last: what came of the last one, in a sentence.
            full: how many verdicts are told in full.
        """
        mood = "good" if answer.healthy else "bold"
        yield from self.lines(first or headline(answer), style=mood)
        for each in answer.meanwhile:
            yield from self.lines(f"{each.says} {each.remedy * everything}")
        if answer.spent:
            parts = (f"{p.name} {_time_and_share(p.ns, answer)}" for p in answer.spent if p.ns)
            yield from self.lines(f"Its time: {', '.join(parts)}.", style="soft")
        yield from self.sampled(answer)
        for fact in [*answer.facts, *[last] * bool(last)]:
            yield from self.lines(fact)
        full = len(answer.worth) if everything else full
        for number, verdict in enumerate(answer.worth[:full], 1):
            yield ""
            yield from self.verdict(answer, number, verdict)
        if answer.worth[full:]:
            yield ""
            for number, verdict in enumerate(answer.worth[full:], full + 1):
                yield from self.title(answer, number, verdict)
        if answer.worth and answer.step_ns:
            yield ""
            yield from self.lines(promise(answer))
        yield from self.left(answer, everything)
        yield from self.notes("Also said", answer.remarks)
        yield from self.notes("Not known", answer.missing)
        yield from self.notes("Notes", answer.failed)

    def versus(self, versus: Versus, *, everything: bool = False) -> Iterator[str]:
        """What came of a change, and what is next."""
        after, share = versus.after, versus.measured or 0
        mood = "good" if share > 0 and not (versus.doubt or versus.chance) else "bold"
        yield from self.lines(changed(versus), style=mood)
        ask = "?" if versus.doubt else ""  # others had the processors in one of them
        gone = f"Gone{ask}"
        rows = [(gone, verdict, "") for verdict in versus.gone]
        for was, verdict in versus.still:
            rows.append((f"Still{ask}", verdict, f", {duration(was.recoverable_ns)} before"))
        rows += [(f"New{ask}", verdict, "") for verdict in versus.new]
        for label, verdict, more in rows:
            of = versus.before if label == gone else after
            gain = gain_of(of, verdict)
            lead = "it was " if label == gone else ""
            yield from self.hanging(label, f"{verdict.title}: {lead}{gain}{more}", 0)
        for line, longer_ns in versus.lines:
            now = duration(line.ns + longer_ns) if line.ns + longer_ns else "hardly anything"
            text = f"{shown(line.place)} takes {now}, {duration(line.ns)} before"
            yield from self.hanging("Line", text, 0)
            yield from self.lines(line.place.text, _LABEL, style="soft")
        for i, part in enumerate(versus.moved):
            yield from self.hanging("" if i else "Moved", f"{part.name}: {shift(part)}", 0)
        if promise := held(versus):
            yield from self.lines(f"{promise}.")
        yield ""
        first = "" if after.worth else standing(versus)
        if after.worth:
            first = f"Next: {after.worth[0].title}, {gain_of(after, after.worth[0])}."
        yield from self.answer(after, everything=everything, full=1, first=first)

    def sampled(self, answer: Answer) -> Iterator[str]:
        """Where in the project's own lines a step is; no accusation, for work has to be somewhere.

        Figures stand before the places, which may be as wide as they like.
        """
        if answer.lines:
            yield from self.lines("Its lines:", style="soft")
        for line in answer.lines:
            yield from self.lines(f"{_time_and_share(line.ns, answer)}  {shown(line.place)}", 2)
            if line.place.text:
                yield from self.lines(line.place.text, 4, style="soft")

    def verdict(self, answer: Answer, number: int, verdict: Verdict) -> Iterator[str]:
        """One verdict in full."""
        yield from self.title(answer, number, verdict)
        yield from self.lines(verdict.says, 3)
        yield from self.entry("Why", verdict.why)
        for i, place in enumerate(verdict.where[:3]):
            yield from self.entry("" if i else "Where", shown(place), "code")
            if place.text:
                yield from self.lines(place.text, 3 + _LABEL + 2, style="soft")
        yield from self.entry("Try", verdict.remedy)
        yield from self.entry("Check", verdict.check)
        yield from self.entry("Sure?", SURE[verdict.sure])
        if verdict.word:
            yield from self.entry("Word", f"{verdict.word.name}: {verdict.word.means}")
        commands = learn(verdict, self.known)
        for i, command in enumerate(commands):
            yield from self.entry("" if i else "Learn", command, "code")
        seen = "; ".join(f"{name} {value}" for name, value in verdict.evidence)
        yield from self.entry("Seen", seen, "soft")

    def title(self, answer: Answer, number: int, verdict: Verdict) -> Iterator[str]:
        """Its number, title and gain: at the right where they fit on one line."""
        lead, gain = f"{number}  ", gain_of(answer, verdict)
        title = verdict.title[:1].upper() + verdict.title[1:]
        room = self.columns - len(lead)
        if width(title) + 2 + width(gain) <= room:
            between = " " * (room - width(title) - width(gain))
            yield lead + self.style(title, "title") + between + self.style(gain, "bold")
            return
        for i, line in enumerate(wrapped(title, room)):
            yield ("   " if i else lead) + self.style(line, "title")
        yield from self.lines(gain, 3, style="bold")

    def left(self, answer: Answer, everything: bool) -> Iterator[str]:
        """What is not worth mending, a line each."""
        if answer.left:
            yield ""
            yield from self.lines("Looked at, and left as it is:")
        for verdict in answer.left:
            says = verdict.says if verdict.says else gain_of(answer, verdict)
            yield from self.item(f"{verdict.title}: {says}")
            if everything and verdict.why:
                yield from self.lines(verdict.why, 2, style="soft")

    def ending(self, next_step: str, page: Path | None) -> Iterator[str]:
        """Where the page is, and what to type next."""
        if page is not None:
            here = Path.cwd()
            short = page.relative_to(here) if page.is_relative_to(here) else page
            yield from self.hanging("page", str(short), 0, "code")
            yield from self.hanging("", "it opens in any browser, with a typical step drawn", 0)
        yield from self.lines(f"Next: {next_step}")

    def notes(self, title: str, lines: Sequence[str]) -> Iterator[str]:
        """Lines under a heading; nothing where there are none."""
        if lines:
            yield ""
            yield from self.lines(f"{title}:")
        for line in lines:
            yield from self.item(line)

    def item(self, text: str) -> Iterator[str]:
        """A line of a list."""
        for i, line in enumerate(wrapped(text, self.columns - 2)):
            yield ("  " if i else "- ") + line

    def entry(self, label: str, text: str, style: str = "") -> Iterator[str]:
        """A labelled text, hanging; nothing of no text."""
        if text:
            yield from self.hanging(label, text, 3, style)

    def hanging(self, label: str, text: str, indent: int, style: str = "") -> Iterator[str]:
        """A label, and its text beside it."""
        for i, line in enumerate(wrapped(text, self.columns - indent - _LABEL)):
            lead = self.style(pad("" if i else label, _LABEL), "label")
            yield " " * indent + lead + self.style(line, style)

    def lines(self, text: str, indent: int = 0, style: str = "") -> Iterator[str]:
        """Wrapped text."""
        for line in wrapped(text, self.columns - indent):
            yield " " * indent + self.style(line, style)

    def style(self, text: str, style: str) -> str:
        """`text` in colour where there is any."""
        looks: dict[str, dict[str, object]] = {
            "good": {"fg": "green"},
            "bold": {"bold": True},
            "title": {"bold": True, "fg": "cyan"},
            "soft": {"dim": True},
            "label": {"dim": True},
            "code": {"fg": "cyan"},
        }
        if not (self.color and style and text):
            return text
        return click.style(text, **looks[style])  # type: ignore[arg-type]


def headline(answer: Answer) -> str:
    """What a step takes, and the one thing to know about it."""
    time = duration(answer.step_ns)
    takes = {
        "step": f"A step takes {time}.",
        "tick": f"A tick takes {time}.",
        "call": f"A call takes {time}.",
        "trace": f"The trace names no steps; all of it is {time}.",
    }[answer.unit]
    takes = takes if answer.step_ns else ""
    if answer.worth:
        top = answer.worth[0]
        if not answer.step_ns:
            return f"{len(answer.worth)} to mend; the first: {top.title}."
        gain = _time_and_share(top.recoverable_ns, answer)
        return f"{takes} Most of what could be won back: {top.title}, {gain}."
    if answer.unsettled and answer.unit == "call":
        return f"{takes} Whether anything is wrong with it is open: {answer.unsettled}.".strip()
    if answer.unsettled:
        return f"{takes} Whether that is well cannot be said: {answer.unsettled}.".strip()
    return f"{takes} Nothing is wrong with it that is worth mending. {answer.limits}".strip()


def standing(versus: Versus) -> str:
    """What to know about the later of two in which nothing is worth mending."""
    after = versus.after
    if after.healthy and slower(versus):
        return f"No rule found why it takes longer; what moved most says where. {after.limits}"
    return headline(replace(after, step_ns=0))


def changed(versus: Versus) -> str:
    """What a step takes now, and took before."""
    after, before = versus.after, versus.before
    now, was = after.step_ns, before.step_ns
    what = {"trace": "The trace", "tick": "A tick", "call": "A call"}.get(after.unit, "A step")
    if not (now and was):
        return ""
    text = f"{what} takes {duration(now)}, {duration(was)} before"
    if versus.doubt:
        text += f". What of that is the change cannot be told: {versus.doubt}"
        return f"{text}. Measure again when they are gone."
    if versus.alone_ns is not None:
        alone = "{1}, {0} before".format(*map(duration, versus.alone_ns))
        text += f"; without its time in line for processors that others had {alone}"
    return f"{text}: {measured(versus)}."


def gain_of(answer: Answer, verdict: Verdict) -> str:
    """What a verdict would give back: "31 ms of a step, 59 %"."""
    if not verdict.recoverable_ns:
        return "" if answer.step_ns else "not timed"
    share = f", {percent(verdict.recoverable_ns, answer.step_ns)}" if answer.step_ns else ""
    return f"{duration(verdict.recoverable_ns)} of {_MEASURES[answer.unit]}{share}"


def promise(answer: Answer) -> str:
    """What a step would take with the first verdict mended, and with all of them."""
    whole = answer.step_ns

    def said(ns: int) -> str:
        return f"{duration(ns)}, {percent(whole - ns, whole)} less"

    what = {"trace": "all of it", "tick": "a tick", "call": "a call"}.get(answer.unit, "a step")
    best = "at best " if answer.worth[0].at_most else ""
    first = said(answer.mended_ns(answer.worth[:1]))
    text = f"With 1 mended {what} would take {best}about {first}"
    if len(answer.worth) > 1 and answer.mended_ns() < _LEFT * whole:
        text += f"; the {len(answer.worth)} together promise more than there is to win. Mend one"
        text += ", measure, and ask again"
    elif len(answer.worth) > 1:
        best = "at best " if any(each.at_most for each in answer.worth) else ""
        text += f"; with all {len(answer.worth)}, {best}{said(answer.mended_ns())}"
        if sum(each.recoverable_ns for each in answer.worth) > 1.01 * (whole - answer.mended_ns()):
            text += ". What two of them share is counted once"
    return f"{text}."


def learn(verdict: Verdict, known: Iterable[str]) -> list[str]:
    """What to type to read and to do, of what is installed here."""
    known = set(known)
    return [
        f"guide {'start' if '::' in id else 'read'} {id}" for id in verdict.teaches if id in known
    ]


def shown(place: Place) -> str:
    """A place, from here on where it is below the current folder."""
    file = Path(place.file)
    if file.is_absolute() and file.is_relative_to(Path.cwd()):
        return str(replace(place, file=str(file.relative_to(Path.cwd()))))
    return str(place)


def wrapped(text: str, room: int) -> list[str]:
    """`text` in lines of at most `room` cells, at spaces; a longer word wherever it must be."""
    lines, line = [], ""
    for word in _BREAKS.split(" ".join(text.split())):
        if line and width(line) + 1 + width(word) <= room:
            line += f" {word}"
            continue
        if line:
            lines.append(line)
        line = ""
        for cluster, size in clusters(word):
            if line and width(line) + size > room:
                # A path goes on behind a slash, where there is one in the second half
                cut = line.rfind("/") + 1 if 2 * line.rfind("/") > len(line) else len(line)
                lines.append(line[:cut])
                line = line[cut:]
            line += cluster
    return [*lines, line] if line else lines


def _time_and_share(ns: int, answer: Answer) -> str:
    return f"{duration(ns)} ({percent(ns, answer.step_ns)})"
