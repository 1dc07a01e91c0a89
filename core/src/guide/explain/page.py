"""explain.html: an answer as one file that opens anywhere, offline, with a typical step drawn."""

from __future__ import annotations

import re
from collections.abc import Iterable, Iterator, Mapping
from html import escape
from pathlib import Path

import guide
from guide.explain.answer import Answer
from guide.explain.drawing import timeline
from guide.explain.lanes import drawn_step, span_colours
from guide.explain.spent.parts import IDLE
from guide.explain.telling import (
    SURE,
    gain_of,
    headline,
    learn,
    promise,
    shown,
    standing,
)
from guide.explain.trace import Trace
from guide.explain.versus import Versus, held, less, shift, slower
from guide.plugin import Verdict
from guide.record import write_atomically
from guide.report.page import cells, document, section, table, tiles
from guide.units import duration, percent

_STYLE = Path(__file__).parent / "explain.css"
_SLOWED = 1.1  # times as long as without the profiler, from which on it is said
# A command with what belongs to it: options, and names with a sign that words do not have
_COMMAND = re.compile(
    r"guide (?:read|start|run|profile|explain|report|machine|trace)\b"
    r"(?: -[\w-]+| \w+(?:[/:.]+\w+)+)*"
)


def write_page(file: Path, text: str) -> None:
    """Write a page, whole or not at all. Raises OSError when it could not be written."""
    write_atomically(file, lambda out: out.write(text))


def page(
    answer: Answer,
    trace: Trace | None = None,
    *,
    known: Iterable[str] = (),
    last: str = "",
    versus: Versus | None = None,
) -> str:
    """An answer as HTML.

    Args:
        answer: it.
        trace: what to draw a step of.
        known: ids of the sections and exercises that are installed.
        last: what came of the last answer about this project.
        versus: what the answer is held against.
    """
    body = "".join(_sections(answer, trace, set(known), last, versus))
    return document(f"{escape(answer.subject)}: explained", body, _STYLE)


def _sections(
    answer: Answer, trace: Trace | None, known: set[str], last: str, versus: Versus | None
) -> Iterator[str]:
    about = escape(answer.subject)
    if answer.steps > 1:
        about += f" · {answer.steps:,} {answer.unit}s"
    yield f"<header><h1>Where the time goes</h1><p class='sub'>{about}</p></header>"
    worse = versus is not None and slower(versus)
    mood = "good" if answer.healthy and not worse else "unsure"
    said = headline(answer) if versus is None or answer.worth else standing(versus)
    yield f"<p class='verdict {mood}'>{escape(said)}</p>"
    for each in answer.meanwhile:
        yield f"<p class='last'>{escape(each.says)} {escape(each.remedy)}</p>"
    if versus is not None:
        yield _changes(versus)
    if last:
        yield f"<p class='last'>{escape(last)}</p>"
    yield tiles(_figures(answer))
    if answer.spent and answer.step_ns:
        yield _spent(answer, span_colours(trace) if trace is not None else {})
    if answer.lines and answer.step_ns:
        yield _lines(answer)
    drawn = timeline(trace, answer) if trace is not None else ""
    if trace is not None and drawn:
        what = "tick" if answer.unit == "tick" else "step"
        lead = (
            "Point at a bar for its name and time. The numbered rows on top show where each "
            "verdict lies." if any(verdict.pins for verdict in answer.worth) else
            "Point at a bar for its name and time."
        )  # fmt: skip
        lead += _slowed(trace, answer)
        title = "The whole trace" if answer.unit == "trace" else f"One typical {what}"
        yield section(title, drawn, lead)
    for number, verdict in enumerate(answer.worth, 1):
        yield _verdict(answer, number, verdict, known)
    if answer.worth and answer.step_ns:
        yield f"<p class='last'>{escape(promise(answer))}</p>"
    items = [
        f"<b>{escape(v.title)}</b>: {escape(v.says)} <span class=do>{escape(v.why)}</span>"
        for v in answer.left
    ]
    yield _listed("Looked at, and left as it is", items)
    yield _listed("Also said", map(escape, answer.remarks))
    yield _listed("About it", map(escape, answer.facts))
    yield _listed("Not known", map(escape, answer.missing))
    yield _listed("Notes", map(escape, answer.failed))
    yield (
        "<footer><p>The same in the terminal: <code>guide explain</code>. "
        f"Made by guide {escape(guide.__version__)}.</p></footer>"
    )


def _slowed(trace: Trace, answer: Answer) -> str:
    """Why what is drawn is longer than what is said, where it is; else nothing."""
    took = drawn_step(trace, answer.worth).ns
    if (
        answer.unit != "step"
        or took < _SLOWED * answer.step_ns
        or trace.unwatched_ns == trace.step_ns
    ):
        return ""
    return (
        f" It is drawn as the profiler saw it: under it this step took {duration(took)}, without "
        f"it a step takes {duration(answer.step_ns)}."
    )


def _figures(answer: Answer) -> Iterator[tuple[str, str]]:
    if not answer.step_ns:
        return
    what = {"trace": "the whole trace", "tick": "a tick", "call": "a call"}.get(
        answer.unit, "a step"
    )
    yield duration(answer.step_ns), what
    if answer.worth:
        first, all_of = answer.mended_ns(answer.worth[:1]), answer.mended_ns()
        yield duration(first), f"with the first mended, {less(1 - first / answer.step_ns)}"
        if len(answer.worth) > 1 and all_of:
            n = len(answer.worth)
            yield duration(all_of), f"with all {n} mended, {less(1 - all_of / answer.step_ns)}"


def _spent(answer: Answer, drawn: Mapping[str, str]) -> str:
    """What a step's time is, as one bar; a span in the colour in which it is drawn below."""
    total = max(sum(part.ns for part in answer.spent), answer.step_ns, 1)
    shown = [part for part in answer.spent if part.ns]
    plain = [part.name for part in shown if not _quiet(part.name)]
    colours = [_quiet(p.name) or drawn.get(p.name) or f"s{plain.index(p.name) % 4}" for p in shown]
    bars = "".join(
        f'<i class="{colours[i]}" style="width:{100 * part.ns / total:.2f}%" '
        f'title="{escape(part.name)}: {duration(part.ns)}"></i>'
        for i, part in enumerate(shown)
    )
    keys = "".join(
        f'<span><i class="{colours[i]}"></i>{escape(part.name)} {duration(part.ns)} '
        f"({percent(part.ns, answer.step_ns)})</span>"
        for i, part in enumerate(shown)
    )
    return section(
        "What its time is", f'<div class="spent">{bars}</div><div class="keys">{keys}</div>'
    )


def _lines(answer: Answer) -> str:
    """The project's own lines that take most of a step."""
    rows = [
        cells(duration(line.ns), percent(line.ns, answer.step_ns))
        + f"<td><code>{escape(shown(line.place))}</code><br>"
        f"<code>{escape(line.place.text)}</code></td>"
        for line in answer.lines
    ]
    lead = (
        "Each with the libraries that it calls. Work has to be somewhere: to be listed is no fault."
    )
    return section("Its lines", table(("#time", "#share", "line"), rows), lead)


def _quiet(name: str) -> str:
    """Idle is drawn as it is in the step below, and what has no name of its own in grey."""
    if name in (IDLE, "waking late"):
        return "idle"
    return "rest" if name.startswith(("outside", "everything", "other")) else ""


def _verdict(answer: Answer, number: int, verdict: Verdict, known: set[str]) -> str:
    css = f"k{min(number, 6) - 1}"
    title = escape(verdict.title[:1].upper() + verdict.title[1:])
    head = f'<span><b class="badge {css}">{number}</b>{title}</span>'
    share = min(answer.share(verdict), 1)
    bar = f'<div class="share {css}"><i style="width:{100 * share:.1f}%"></i></div>'
    bar = bar if answer.step_ns else ""
    rows = [("Why", escape(verdict.why))]
    places = "".join(
        f"<li><code>{escape(str(place))}</code>"
        + (f"<pre>{escape(place.text)}</pre>" if place.text else "")
        for place in verdict.where
    )
    rows.append(("Where", f"<ul>{places}</ul>" if places else ""))
    rows.append(("Try", _commands(verdict.remedy)))
    rows.append(("Check", _commands(verdict.check)))
    rows.append(("Sure?", SURE[verdict.sure]))
    if verdict.word:
        word = f"<b>{escape(verdict.word.name)}</b>: {escape(verdict.word.means)}"
        rows.append(("Word", word))
    rows.append(("Learn", "<br>".join(f"<code>{c}</code>" for c in learn(verdict, known))))
    seen = "".join(
        f"<span>{escape(name)} <b>{escape(value)}</b></span>" for name, value in verdict.evidence
    )
    rows.append(("Seen", f'<div class="seen">{seen}</div>' if seen else ""))
    body = "".join(f"<dt>{name}</dt><dd>{text}</dd>" for name, text in rows if text)
    gain = escape(gain_of(answer, verdict))
    return (
        f'<section class="found" id="verdict-{number}"><h2>{head}<span class="gain">{gain}</span>'
        f"</h2>{bar}<p>{escape(verdict.says)}</p><dl>{body}</dl></section>"
    )


def _changes(versus: Versus) -> str:
    from guide.explain.telling import changed

    rows = [("gone", verdict.title) for verdict in versus.gone]
    rows += [("still there", verdict.title) for _, verdict in versus.still]
    rows += [("new", verdict.title) for verdict in versus.new]
    items = "".join(f"<li>{what}: <b>{escape(title)}</b></li>" for what, title in rows)
    items += "".join(f"<li>{escape(p.name)}: <b>{shift(p)}</b></li>" for p in versus.moved)
    promise = held(versus)
    promise = f"<p>{escape(promise)}.</p>" if promise else ""
    return section(escape(changed(versus)), f"<ul>{items}</ul>{promise}")


def _commands(text: str) -> str:
    return _COMMAND.sub(lambda found: f"<code>{found[0]}</code>", escape(text))


def _listed(title: str, items: Iterable[str]) -> str:
    items = "".join(f"<li>{item}</li>" for item in items)
    return section(title, f"<ul>{items}</ul>") if items else ""
