"""report.html: one file that opens anywhere, offline, and says how the run went.

It is made from run.json, the picture beside it and the log book's line alone, so it can be made
again at any time. What each section shows stands in `misses.py`, `figures.py` and `energy.py`;
this module says in which order, and gives the sentence that comes first.
"""

from __future__ import annotations

import base64
from collections.abc import Iterable
from html import escape
from pathlib import Path
from typing import Any

from guide.readback import read_record
from guide.record import write_atomically
from guide.report import energy, figures, misses
from guide.report.page import Record, bounded, document, section
from guide.units import duration, number, percent

__all__ = ["bottleneck", "bounded", "headline", "render", "whole", "write_report"]

_SCRIPT = Path(__file__).parent.parent / "report.js"
_NOTHING = dict.fromkeys(("count", "mean_ns", "p50_ns", "p90_ns", "p99_ns", "max_ns"), 0)


def write_report(folder: Path) -> Path:
    """Make `folder`/report.html from the record in `folder`; return its path.

    Raises:
        GuideError: when there is no record to read.
    """
    from guide.logbook import note_of

    record = read_record(folder)
    image = None
    picture = record.get("picture")
    if picture and (folder / picture["file"]).is_file():
        image = (folder / picture["file"]).read_bytes()
    file = folder / "report.html"
    page = render(record, image, note_of(folder))
    write_atomically(file, lambda out: out.write(page))
    return file


def render(record: Record, image: bytes | None = None, note: str = "") -> str:
    """The report as one HTML page.

    Args:
        record: run.json, of any age and however much of it there is.
        image: the project's picture as PNG.
        note: what its author wrote about this run in the log book.
    """
    name = escape(record["project"]["name"])
    body = "".join(_sections(whole(record), image, note))
    return document(f"{name}: run report", body, _SCRIPT)


def whole(record: Record) -> dict[str, Any]:
    """A record with every field a reader asks for: empty where an older or killed run has none."""
    none: dict[str, Any] = {
        "seconds": 0.0, "tick_time": _NOTHING, "lateness": _NOTHING, "spans": {}, "worst": [],
        "series": {}, "facts": {}, "notes": [], "texts": [], "picture": None, "error": None,
        "ticks": {"first": 0, "due_ns": [], "start_ns": [], "end_ns": [], "skipped": []},
        "usage": {"totals": [], "samples": {"t_ns": [], "columns": {}}, "failed": []},
        "misses": {"causes": {}, "list": []}, "flights": [], "budgets": [], "pacing": None,
        "work": {}, "card": None, "source": None, "trace": "trace.json",
    }  # fmt: skip
    loop = {"ticks": 0, "missed": 0, "skipped": 0, "suspended": 0} | record["loop"]
    return {**none, **record, "loop": loop}


def headline(record: Record) -> tuple[str, str]:
    """How the run went, in a sentence, and "good", "bad" or "unsure"."""
    loop = whole(record)["loop"]
    ticks, missed, budget_ns = loop["ticks"], loop["missed"], loop["budget_ns"]
    if record["status"] == "failed":
        error = record["error"]
        where = f"{error['where']}: " if error["where"] else ""
        remedy = f"; {error['remedy']}" if error["remedy"] else "."
        return f"The run failed: {where}{error['message']}{remedy}", "bad"
    killed = record["status"] == "running"
    if killed and not ticks:
        return "This run never finished: it was killed, or it is still going.", "unsure"
    if not ticks:
        return "The run ended before its first tick.", "unsure"
    if budget_ns is None:
        text, mood = f"{number(ticks)} ticks, free-running, with no deadline set.", "good"
    elif not missed:
        text = f"Every one of {number(ticks)} ticks met its {duration(budget_ns)} deadline."
        mood = "good"
    else:
        share = percent(missed, ticks)
        text = f"{number(missed)} of {number(ticks)} ticks ({share}) missed their "
        text += f"{duration(budget_ns)} deadline."
        mood = "bad" if missed > ticks / 20 else "unsure"
    if killed:
        text = f"This run never finished: it was killed, or it is still going. Until then: {text}"
        mood = "unsure"
    return text, mood


def bottleneck(record: Record) -> str:
    """The span that takes most of the tick time, in a sentence; empty where there is none."""
    spans = {n: s for n, s in (record.get("spans") or {}).items() if not s["beside"]}
    work = record.get("tick_time", _NOTHING)
    total = work["mean_ns"] * work["count"]
    if not spans or not total:
        return ""
    name, span = max(spans.items(), key=lambda item: item[1]["total_ns"])
    return f"Most time goes to {name}: {percent(min(span['total_ns'], total), total)} of the tick."


def _sections(record: Record, image: bytes | None, note: str) -> Iterable[str]:
    project, machine = record["project"], record["machine"]
    rate = record["loop"]["rate_hz"]
    pace = "free-running" if rate is None else f"{number(rate)} Hz, {record['loop']['overrun']}"
    source = figures.commit(record)
    yield (
        f"<header><h1>{escape(project['name'])}</h1><p class='sub'>{escape(project['track'])} "
        f"track · {pace} · {escape(record['started'][:16].replace('T', ' '))} UTC · "
        f"{escape(str(machine['processor']))}, {machine['threads']} threads"
        f"{' · ' + escape(source) if source else ''}</p></header>"
    )
    text, mood = headline(record)
    yield f"<p class='verdict {mood}'>{escape(text)} {escape(bottleneck(record))}</p>"
    if note:
        yield f'<blockquote>{escape(note)}<span class="by">log book</span></blockquote>'
    if record["loop"]["ticks"]:
        yield figures.glance(record)
    if image is not None:
        data = base64.b64encode(image).decode()
        caption = escape(record["picture"]["caption"] or "picture")
        yield section(caption, f'<img alt="{caption}" src="data:image/png;base64,{data}">')
    else:  # then its curves are what a project has to show
        yield figures.series(record)
    yield misses.tick_time(record)
    yield misses.why(record)
    yield misses.flights(record)
    yield misses.spread(record)
    yield figures.spans(record)
    if image is not None:
        yield figures.series(record)
    yield energy.energy(record)
    yield figures.budgets(record)
    yield figures.resources(record)
    yield figures.worst(record)
    if record["notes"]:
        items = "".join(f"<li>{escape(line)}</li>" for line in record["notes"])
        yield section("Notes", f"<ul>{items}</ul>")
    for block in record["texts"]:
        yield section(escape(block["title"]), f"<pre>{escape(block['body'])}</pre>")
    yield f'<div class="pair">{figures.facts(record)}{figures.card(record)}</div>'
    trace = escape(record["trace"] or "trace.json")
    yield (
        f'<footer><p>Open <a href="{trace}"><code>{trace}</code></a>, beside this file, at '
        '<a href="https://ui.perfetto.dev">ui.perfetto.dev</a> to see every span of every tick. '
        "Type <code>guide report</code> for these figures in the terminal. "
        f"Made by guide {escape(record['guide'])}.</p></footer>"
    )
