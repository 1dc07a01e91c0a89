"""report.html: one file that opens anywhere, offline, and says how the run went.

It is made from run.json and the picture beside it alone, so it can be made again at any time.
"""

from __future__ import annotations

import base64
import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from html import escape
from pathlib import Path
from typing import Any

from guide.plot import Line, Rule, bar_plot, line_plot
from guide.record import read_record, write_atomically
from guide.units import duration, number, percent, quantity, size

Record = Mapping[str, Any]


def write_report(folder: Path) -> Path:
    """Make `folder`/report.html from the record in `folder`; return its path.

    Raises:
        GuideError: when there is no record to read.
    """
    record = read_record(folder)
    image = None
    picture = record.get("picture")
    if picture and (folder / picture["file"]).is_file():
        image = (folder / picture["file"]).read_bytes()
    file = folder / "report.html"
    page = render(record, image)
    write_atomically(file, lambda out: out.write(page))
    return file


def render(record: Record, image: bytes | None = None) -> str:
    """The report as one HTML page; `image` is the project's picture as PNG."""
    name = escape(record["project"]["name"])
    body = "".join(_sections(record, image))
    css = (Path(__file__).parent / "report.css").read_text(encoding="utf-8")
    return (
        '<!doctype html>\n<html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{name}: run report</title><style>{css}</style></head><body>{body}</body></html>\n"
    )


def headline(record: Record) -> tuple[str, str]:
    """How the run went, in a sentence, and "good", "bad" or "unsure"."""
    if record["status"] == "running":
        return "This run never finished: it was killed, or it is still going.", "unsure"
    if record["status"] == "failed":
        error = record["error"]
        where = f"{error['where']}: " if error["where"] else ""
        remedy = f"; {error['remedy']}" if error["remedy"] else "."
        return f"The run failed: {where}{error['message']}{remedy}", "bad"
    loop = record["loop"]
    ticks, missed, budget_ns = loop["ticks"], loop["missed"], loop["budget_ns"]
    if not ticks:
        return "The run ended before its first tick.", "unsure"
    if budget_ns is None:
        return f"{number(ticks)} ticks, free-running, with no deadline set.", "good"
    budget = duration(budget_ns)
    if not missed:
        return f"Every one of {number(ticks)} ticks met its {budget} deadline.", "good"
    share = percent(missed, ticks)
    text = f"{number(missed)} of {number(ticks)} ticks ({share}) missed their {budget} deadline."
    return text, "bad" if missed > ticks / 20 else "unsure"


def bottleneck(record: Record) -> str:
    """The span that takes most of the tick time, in a sentence; empty where there is none."""
    spans = {n: s for n, s in (record.get("spans") or {}).items() if not s["beside"]}
    work = record.get("tick_time", {"mean_ns": 0, "count": 0})
    total = work["mean_ns"] * work["count"]
    if not spans or not total:
        return ""
    name, span = max(spans.items(), key=lambda item: item[1]["total_ns"])
    return f"Most time goes to {name}: {percent(min(span['total_ns'], total), total)} of the tick."


def _sections(record: Record, image: bytes | None) -> Iterable[str]:
    project, machine = record["project"], record["machine"]
    rate = record["loop"]["rate_hz"]
    pace = "free-running" if rate is None else f"{number(rate)} Hz, {record['loop']['overrun']}"
    yield (
        f"<header><h1>{escape(project['name'])}</h1><p class='sub'>{escape(project['track'])} "
        f"track · {pace} · {escape(record['started'][:16].replace('T', ' '))} UTC · "
        f"{escape(str(machine['processor']))}, {machine['threads']} threads</p></header>"
    )
    text, mood = headline(record)
    yield f"<p class='verdict {mood}'>{escape(text)} {escape(bottleneck(record))}</p>"
    if "ticks" not in record:
        return
    if record["loop"]["ticks"]:
        yield _tiles(record)
    if image is not None:
        data = base64.b64encode(image).decode()
        caption = escape(record["picture"]["caption"] or "picture")
        yield _section(caption, f'<img alt="{caption}" src="data:image/png;base64,{data}">')
    if image is None:  # then its curves are what a project has to show
        yield from _series(record)
    yield _tick_time(record)
    yield _spans(record)
    if image is not None:
        yield from _series(record)
    yield _usage(record)
    yield _worst(record)
    if record["notes"]:
        items = "".join(f"<li>{escape(note)}</li>" for note in record["notes"])
        yield _section("Notes", f"<ul>{items}</ul>")
    for block in record["texts"]:
        yield _section(escape(block["title"]), f"<pre>{escape(block['body'])}</pre>")
    yield _facts(record)
    yield (
        "<footer><p>Open <code>trace.json</code>, beside this file, at "
        '<a href="https://ui.perfetto.dev">ui.perfetto.dev</a> to see every span of every tick. '
        "Type <code>guide report</code> for these figures in the terminal. "
        f"Made by guide {escape(record['guide'])}.</p></footer>"
    )


def _section(title: str, body: str, why: str = "") -> str:
    why = f'<p class="why">{why}</p>' if why else ""
    return f"<section><h2>{title}</h2>{why}{body}</section>"


def _tiles(record: Record) -> str:
    loop, work = record["loop"], record["tick_time"]
    seconds = record["seconds"]
    tiles = [
        (number(loop["ticks"] / seconds) + " Hz" if seconds else "-", "ticks a second, achieved"),
        (duration(work["p50_ns"]), "tick time, half are below (p50)"),
        (duration(work["p99_ns"]), "tick time, 99 of 100 below (p99)"),
        (duration(work["max_ns"]), "longest tick"),
    ]
    if loop["budget_ns"] is not None:
        missed = f"{number(loop['missed'])} of {number(loop['ticks'])}"
        tiles.append((missed, "deadlines missed"))
    if loop["skipped"]:
        tiles.append((number(loop["skipped"]), "slots skipped"))
    totals = {reading["name"]: reading for reading in record["usage"]["totals"]}
    if "cpu" in totals and seconds:
        busy = totals["cpu"]["value"] / seconds
        tiles.append((f"{100 * busy:.0f} %", "CPU, of one core, on average"))
    memory = record["usage"]["samples"]["columns"].get("memory")
    if memory:
        peak = max(value for value in memory["values"] if value is not None)
        tiles.append((size(peak), "memory, at most"))
    for name, reading in totals.items():
        if name.startswith("energy"):
            what = f"energy, {name.partition('.')[2]} ({reading['source']})"
            tiles.append((bounded(reading), what))
            if loop["ticks"] and reading["low"] is None:
                each = quantity(reading["value"] / loop["ticks"], reading["unit"])
                tiles.append((each, f"{name.partition('.')[2]} energy a tick"))
    cells = "".join(
        f'<div class="tile"><b>{escape(value)}</b><span>{escape(label)}</span></div>'
        for value, label in tiles
    )
    return f'<div class="tiles">{cells}</div>'


def bounded(reading: Mapping[str, Any]) -> str:
    """A reading as text; one that is only bounded as its bounds."""
    if reading["low"] is None:
        return quantity(reading["value"], reading["unit"])
    low, high = number(reading["low"]), quantity(reading["high"], reading["unit"])
    return f"{low} to {high}"


def _tick_time(record: Record) -> str:
    ticks, budget_ns = record["ticks"], record["loop"]["budget_ns"]
    xs = [start / 1e9 for start in ticks["start_ns"]]
    done = [(e - d) / 1e6 for e, d in zip(ticks["end_ns"], ticks["due_ns"], strict=True)]
    if not done:
        return ""
    ordered = sorted(done)
    p50, p99 = (ordered[math.ceil(len(done) * q) - 1] for q in (0.5, 0.99))
    budget = None if budget_ns is None else budget_ns / 1e6
    top = max(p99 * 1.4, (budget or 0) * 1.15)
    top = max(min(top, ordered[-1] * 1.1) if budget is None else top, 1e-6)
    over = [y if budget is not None and y > budget else None for y in done]
    under = [None if o is not None else y for o, y in zip(over, done, strict=True)]
    lines = [Line("on time" if budget else "tick", xs, under, dots=True)]
    if any(o is not None for o in over):
        lines.append(Line("missed", xs, over, "bad", dots=True))
    rule = None if budget is None else Rule(f"budget {number(budget)} ms", budget)
    beyond = sum(y > top for y in done)
    paced = record["loop"]["rate_hz"] is not None
    why = "From when a tick was due until it was done, so waking late counts." if paced else ""
    if beyond:
        n = "1 tick lies" if beyond == 1 else f"{beyond} ticks lie"
        why = f"{why} {n} above the scale; the longest took {number(ordered[-1])} ms."
    if ticks["first"]:
        why += f" Shown are the ticks from {number(ticks['first'])} on."
    plot = line_plot(lines, x_label="seconds", y_label="ms", rule=rule, y_top=top)
    bins = 60
    edges = [top * i / bins for i in range(bins + 1)]
    counts = [0] * bins
    for y in done:
        counts[min(int(y / top * bins), bins - 1)] += 1
    rules = [] if budget is None else [rule for rule in [rule] if rule]
    marks = [Rule(f"p50 {number(p50)} ms", p50, "p50"), Rule(f"p99 {number(p99)} ms", p99, "p99")]
    spread = bar_plot(edges, counts, x_label="ms", y_label="ticks", rules=[*rules, *marks])
    return (
        _section("Tick time over its budget", plot, why)
        + '<div class="pair">'
        + _section(
            "Distribution", spread, "Of the same times. Heights are square roots: rare ticks show."
        )
        + _lateness(record, xs)
        + "</div>"
    )


def _lateness(record: Record, xs: Sequence[float]) -> str:
    if record["loop"]["rate_hz"] is None:
        return ""
    ticks = record["ticks"]
    late = [(s - d) / 1e3 for s, d in zip(ticks["start_ns"], ticks["due_ns"], strict=True)]
    ordered = sorted(late)
    top = ordered[int(len(late) * 0.99)] * 1.4 if late else None
    plot = line_plot(
        [Line("", xs, late, "c2", dots=True)], x_label="seconds", y_label="µs late", y_top=top or 1
    )
    summary = record["lateness"]
    p50, p99 = duration(summary["p50_ns"]), duration(summary["p99_ns"])
    why = f"How late ticks began: p50 {p50}, p99 {p99}."
    return _section("Wake-up lateness", plot, why)


def _spans(record: Record) -> str:
    spans = record["spans"]
    if not spans:
        return ""
    work = record["tick_time"]["mean_ns"] * record["tick_time"]["count"]
    longest = max(span["total_ns"] for span in spans.values()) or 1
    head = ["span", "?all of it", "#of tick time", "#p50", "#p99", "#?count"]
    rows = [
        f"<th scope=row>{escape(name)}</th>"
        f'<td class="bar opt"><i style="width:{100 * span["total_ns"] / longest:.1f}%"></i></td>'
        + _cells(
            "beside it" if span["beside"] else percent(span["total_ns"], work),
            duration(span["p50_ns"]),
            duration(span["p99_ns"]),
        )
        + f"<td class='n opt'>{number(span['count'])}</td>"
        for name, span in sorted(spans.items(), key=lambda item: -item[1]["total_ns"])
    ]
    table = _table(head, rows)
    why = "Beside it: on other threads or a device, while the loop went on."
    why = why if any(span["beside"] for span in spans.values()) else ""
    return _section("Cost per span", table, why)


def _series(record: Record) -> Iterable[str]:
    groups: dict[str, dict[str, Any]] = defaultdict(dict)
    for name, series in record["series"].items():
        groups[name.partition(".")[0]][name] = series
    if groups:
        yield '<div class="pair">'
    for stem, members in groups.items():
        lines, words = [], []
        for i, (name, series) in enumerate(members.items()):
            values = [v for v in series["values"] if v is not None]
            few = len(values) <= 3
            lines.append(Line(name, series["ticks"], series["values"], f"c{i % 4}", dots=few))
            if values:
                unit = f" {series['unit']}" if series["unit"] else ""
                middle = sorted(values)[len(values) // 2]
                words.append(
                    f"{name}: last {number(values[-1])}{unit}, median {number(middle)}{unit}"
                )
        unit = next(iter(members.values()))["unit"]
        plot = line_plot(lines, x_label="tick", y_label=unit or stem, from_zero=False)
        yield _section(escape(stem.capitalize()), plot, escape("; ".join(words)) + ".")
    if groups:
        yield "</div>"


def _usage(record: Record) -> str:
    samples = record["usage"]["samples"]
    t = [t_ns / 1e9 for t_ns in samples["t_ns"]]
    plots = []
    for name, column in samples["columns"].items():
        values = column["values"]
        if column["kind"] == "total":
            xs, ys = t[1:], _rates(t, values)
            if column["unit"] == "s":  # seconds of CPU a second
                ys = [None if y is None else 100 * y for y in ys]
            unit = {"J": "W", "s": "% of a core"}.get(column["unit"], f"{column['unit']}/s")
        else:
            mega = column["unit"] == "B"
            xs, unit = t[: len(values)], "MB" if mega else column["unit"]
            ys = [None if v is None else v / 1e6 if mega else v for v in values]
        if len(xs) < 2:
            continue
        label = f"{unit} ({column['source']})"
        plots.append(
            _section(
                escape("CPU" if name == "cpu" else name.replace(".", ", ").capitalize()),
                line_plot([Line("", xs, ys, "c3")], x_label="seconds", y_label=label),
                "The middle of the model's range." if column["source"] == "model" else "",
            )
        )
    return f'<div class="pair">{"".join(plots)}</div>'


def _rates(t: Sequence[float], totals: Sequence[float | None]) -> list[float | None]:
    """Growth a second between each sample and the one before."""
    rates: list[float | None] = []
    for i in range(1, len(t)):
        a, b = (totals[j] if j < len(totals) else None for j in (i - 1, i))
        rates.append(
            None if a is None or b is None or t[i] <= t[i - 1] else (b - a) / (t[i] - t[i - 1])
        )
    return rates


def _cells(*values: str) -> str:
    return "".join(f"<td class=n>{value}</td>" for value in values)


def _table(head: Sequence[str], rows: Iterable[str]) -> str:
    """A table that scrolls by itself on a narrow page.

    In a heading, `#` marks a column of figures, `?` one that a narrow page does without.
    """
    heads = "".join(
        f'<th class="{"n" * ("#" in name)} {"opt" * ("?" in name)}">{name.lstrip("#?")}</th>'
        for name in head
    )
    body = "".join(f"<tr>{row}</tr>" for row in rows)
    return f'<div class="scroll"><table><tr>{heads}</tr>{body}</table></div>'


def _worst(record: Record) -> str:
    rows = []
    for tick in record["worst"]:
        top = sorted(tick["spans"].items(), key=lambda item: -item[1])[:3]
        parts = ", ".join(f"{escape(name)} {duration(ns)}" for name, ns in top) or "no spans kept"
        rows.append(
            f"<td class=n>{number(tick['index'])}</td>"
            f"<td class='n opt'>{tick['start_ns'] / 1e9:.2f} s</td>"
            f'<td class="n{" miss" if tick["missed"] else ""}">{duration(tick["work_ns"])}</td>'
            f"<td class='n opt'>{duration(tick['late_ns'])}</td><td>{parts}</td>"
        )
    if not rows:
        return ""
    table = _table(["#tick", "#?at", "#took", "#?began late by", "where the time went"], rows)
    return _section("The worst ticks", table, "In red: over the deadline.")


def _facts(record: Record) -> str:
    machine = dict(record["machine"])
    if "memory_bytes" in machine:
        machine["memory"] = size(machine.pop("memory_bytes"))
    rows = {**record["facts"], "ended by": record["ended"], "seed": record["seed"]}
    rows |= {f"option {name}": value for name, value in record["options"].items()} | machine
    for reading in record["usage"]["totals"]:
        if reading["name"].startswith("energy"):
            rows[reading["name"]] = f"{bounded(reading)}, source: {reading['source']}"
    cells = "".join(
        f"<tr><th scope=row>{escape(str(name))}</th><td>{escape(_fact(value))}</td></tr>"
        for name, value in rows.items()
    )
    return _section("What ran, and where", f'<table class="facts">{cells}</table>')


def _fact(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value)
    return {None: "none", "": "none", True: "yes", False: "no"}.get(value, str(value))
