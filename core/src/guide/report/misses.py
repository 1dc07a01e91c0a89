"""The ticks of a run over their budget: when, which were missed, why, and what was around them."""

from __future__ import annotations

import json
import math
import re
from collections.abc import Mapping, Sequence
from html import escape
from typing import Any

from guide.plot import Box, Flag, Line, Rule, bar_plot, frame, line_plot, row_plot
from guide.report.page import Record, cells, section, table
from guide.units import duration, number, percent

_LETTERS = "ABCDEF"
_DEEPEST = 5  # rows of nested spans that a flight record draws on a lane, less one

# A cause, what it says, and what to do about it; the first whose beginning fits counts.
_ADVICE = """\
woke late: gil
Another Python thread held the interpreter's lock when the tick was due.
Move that thread's work to a process, or into code that lets go of the lock.
woke late: no free processor
The tick was due, and other work had every processor.
Stop that work, use fewer worker threads, or type guide run --realtime.
woke late
The kernel, or a virtual machine's host, woke the loop late.
Type guide run --realtime; guide machine shows how late this machine wakes at best.
behind
The tick before ran over, so this one could not begin in time.
Mend the tick before: these misses go with it.
gc
Python was collecting garbage in the middle of the tick.
Make fewer objects a tick; guide run --realtime collects between ticks.
preempted
The kernel took the processor away in the middle of the tick.
Stop what else runs, or type guide run --realtime.
page fault
The tick touched memory that had to come from disk.
Touch it once in start(); guide run --realtime keeps it in memory.
over budget:
{} took longer than its share of the budget.
Make {} cheaper, do it every n-th tick, or move it beside the loop.
over budget
The tick's own work took longer than its budget.
Put spans around its parts: the next run then names the one.
""".splitlines()


def advice(cause: str) -> tuple[str, str]:
    """What a cause says, and what to do about it; empty for one that is not known."""
    for start, meaning, remedy in zip(_ADVICE[::3], _ADVICE[1::3], _ADVICE[2::3], strict=True):
        if cause.startswith(start):
            span = cause.removeprefix(start).strip()
            return meaning.format(span), remedy.format(span)
    return "", ""


def tick_time(record: Record) -> str:
    """Tick times over the budget line, the missed marked with their cause."""
    ticks, budget_ns = record["ticks"], record["loop"]["budget_ns"]
    done = _done_ms(record)
    if not done:
        return ""
    xs = [start / 1e9 for start in ticks["start_ns"]]
    budget = None if budget_ns is None else budget_ns / 1e6
    top = _top(done, budget)
    known = {miss["index"]: miss for miss in record["misses"]["list"]}
    letters = _letters(record)
    missed: dict[str, list[tuple[float, float]]] = {
        letter: [] for letter in [*letters.values(), ""]
    }
    for miss in known.values():  # of a long run the newest ticks are held, and more of the misses
        if miss["index"] < ticks["first"] and budget is not None:
            y = budget + miss["over_ns"] / 1e6
            missed[letters[miss["cause"]]].append((miss["start_ns"] / 1e9, y))
    on_time: list[float | None] = list(done)
    for i, y in enumerate(done):
        if budget is not None and y > budget:
            on_time[i] = None
            found = known.get(ticks["first"] + i)
            missed[letters[found["cause"]] if found else ""].append((xs[i], y))
    rule = None if budget is None else Rule(f"budget {number(budget)} ms", budget)
    lines = [Line("on time" if budget else "", xs, on_time, dots=True, groups=20_000)]
    rows = []
    for letter, points in missed.items():
        if points:
            (where, heights), css = zip(*points, strict=True), _css(letter)
            lines.append(Line("" if letter else "missed", where, heights, css, dots=True))
            rows.append((letter or "?", css, where))
    plot = line_plot(
        lines,
        x_label="seconds",
        y_label="ms",
        rule=rule,
        y_top=top,
        flags=_flags(record, known, letters),
    )
    if letters and rows:
        names = "".join(
            f'<span class="key {_css(letter)}"><b>{letter}</b> {escape(_cause(letters, letter))}'
            "</span>"
            for letter in dict.fromkeys(letters.values())
        )
        plot += f'<div class="legend">{names}</div>'
        plot += row_plot(rows, (min(line.xs[0] for line in lines), max(xs)), "seconds")
        told = [[m["start_ns"] / 1e9, f"tick {m['index']}: {m['text']}"] for m in known.values()]
        plot = f'<div class="asked" data-misses="{escape(json.dumps(told))}">{plot}</div>'
    beyond, ordered = sum(y > top for y in done), sorted(done)
    paced = record["loop"]["rate_hz"] is not None
    why = "From when a tick was due until it was done, so waking late counts." if paced else ""
    if beyond:
        n = "1 tick lies" if beyond == 1 else f"{number(beyond)} ticks lie"
        why = f"{why} {n} above the scale; the longest took {duration(ordered[-1] * 1e6)}."
    if ticks["first"]:
        why += f" Shown are the ticks from {number(ticks['first'])} on; before them, the missed."
    if len(known) < sum(map(len, missed.values())):
        why += f" The newest {number(len(known))} misses carry their cause."
    return section("Tick time over its budget" if budget else "Tick time", plot, why)


def _done_ms(record: Record) -> list[float]:
    ticks = record["ticks"]
    return [(e - d) / 1e6 for e, d in zip(ticks["end_ns"], ticks["due_ns"], strict=True)]


def _top(done: Sequence[float], budget: float | None) -> float:
    ordered = sorted(done)
    top = max(ordered[math.ceil(len(done) * 0.99) - 1] * 1.4, (budget or 0) * 1.35)
    return max(min(top, ordered[-1] * 1.1) if budget is None else top, 1e-6)


def _letters(record: Record) -> dict[str, str]:
    """A letter for each cause, the most frequent first; from the sixth on they share one."""
    causes = {m["cause"]: 0 for m in record["misses"]["list"]} | record["misses"]["causes"]
    ranked = sorted((c for c in causes), key=lambda c: -causes[c])
    return {c: _LETTERS[min(i, len(_LETTERS) - 1)] for i, c in enumerate(ranked)}


def _css(letter: str) -> str:
    return f"k{_LETTERS.index(letter)}" if letter else "bad"


def _cause(letters: Mapping[str, str], letter: str) -> str:
    causes = [c for c, of_cause in letters.items() if of_cause == letter]
    return causes[0] if len(causes) == 1 else "other"


def _flags(
    record: Record, known: Mapping[int, Mapping[str, Any]], letters: Mapping[str, str]
) -> list[Flag]:
    flags = []
    for flight in record["flights"]:
        row = next((row for row in flight["ticks"] if row[0] == flight["tick"]), None)
        miss = known.get(flight["tick"])
        letter = letters[miss["cause"]] if miss else ""
        title = f"tick {flight['tick']}: {miss['text'] if miss else flight['why']}"
        if row:
            x, y, href = row[2] / 1e9, (row[3] - row[1]) / 1e6, f"#flight-{flight['tick']}"
            flags.append(Flag(x, y, letter or "!", _css(letter), href, title))
    return flags


def why(record: Record) -> str:
    """The causes of the misses with what they say and what to do."""
    causes, letters = record["misses"]["causes"], _letters(record)
    total = sum(causes.values())
    rows = []
    for cause in sorted(causes, key=lambda c: -causes[c]):
        meaning, remedy = map(escape, advice(cause))
        remedy = re.sub(r"guide \w+( --\w+)?", r"<code>\g<0></code>", remedy)
        badge = f'<b class="badge {_css(letters[cause])}">{letters[cause]}</b>'
        rows.append(
            f"<th scope=row>{badge}{escape(cause)}</th>"
            + cells(number(causes[cause]), percent(causes[cause], total))
            + f"<td>{meaning} <span class=do>{remedy}</span></td>"
        )
    if not total:
        return ""
    head = ["cause", "#ticks", "#share", "what it says, and what to do"]
    return section("Why deadlines were missed", table(head, rows, "why-table"))


def flights(record: Record) -> str:
    """The flight records: the ticks around the worst misses, each span on its thread's lane."""
    known = {miss["index"]: miss for miss in record["misses"]["list"]}
    letters = _letters(record)
    parts: list[str] = []
    for flight in record["flights"]:
        miss = known.get(flight["tick"])
        letter = letters[miss["cause"]] if miss else "!"
        css = _css(letter if miss else "")
        text = miss["text"] if miss else flight["why"]
        parts.append(
            f"<details{' open' if not parts else ''}><summary><b class='badge {css}'>{letter}</b>"
            f"tick {number(flight['tick'])} <span>{escape(text)}</span></summary>"
            f'<div id="flight-{flight["tick"]}">{_gantt(flight, record["loop"]["budget_ns"])}'
            "</div></details>"
        )
    lead = "The ticks around each of the worst; the dashed line is the deadline of the one in red."
    return section("Flight records", "".join(parts), lead) if parts else ""


def _gantt(flight: Mapping[str, Any], budget_ns: int | None) -> str:
    ticks = flight["ticks"]
    target = next((row for row in ticks if row[0] == flight["tick"]), ticks[-1])
    zero, first, last = target[1], min(ticks[0][1:3]), max(row[3] for row in ticks)
    rows = _rows(flight["spans"])
    lanes = sorted({lane for lane, _ in rows.values()})
    depth = {lane: 1 + max(d for other, d in rows.values() if other == lane) for lane in lanes}
    above = {lane: 1 + sum(depth[other] for other in lanes if other < lane) for lane in lanes}
    height = 1 + sum(depth.values())
    box = Box((first - zero) / 1e6, (max(last, first + 1) - zero) / 1e6, 0, height)

    def bar(start: int, end: int, row: int) -> tuple[float, float, float, float]:
        x0, x1 = (min(max(box.x((t - zero) / 1e6), 0), 1000) for t in (start, end))
        return x0, max(x1, x0 + 0.6), 1000 * (row + 0.1) / height, 1000 * (row + 0.9) / height

    shapes: dict[tuple[str, str], list[str]] = {}
    texts = []

    def draw(css: str, name: str, words: str, start: int, end: int, row: int) -> None:
        x0, x1, y0, y1 = bar(start, end, row)
        shapes.setdefault((css, name), []).append(f"M{x0:.1f} {y0:.0f}H{x1:.1f}V{y1:.0f}H{x0:.1f}Z")
        if x1 - x0 > 45:
            place = f"left:{x0 / 10:.1f}%;width:{(x1 - x0) / 10:.1f}%;top:{(y0 + y1) / 20:.1f}%"
            wide = " wide" * (x1 - x0 > 150)
            texts.append(f'<span class="in{wide}" style="{place}">{escape(words)}</span>')

    for index, _, start, end in ticks:
        css = "tick over" if index == flight["tick"] else "tick"
        draw(css, "tick", number(index), start, end, 0)
    for i, (name_i, lane, start, took) in enumerate(flight["spans"]):
        name = flight["names"][name_i]
        row = above[lane] + rows[i][1]
        draw(f"g{name_i % 8}", name, name.rpartition("/")[2], start, start + took, row)
    marks = [
        f'<path class="fill {css}" d="{"".join(d)}"><title>{escape(name)}</title></path>'
        for (css, name), d in shapes.items()
    ]
    for index, due, *_ in ticks if budget_ns else ():
        css, at = "budget" if index == flight["tick"] else "due", due + (budget_ns or 0) - zero
        if at / 1e6 <= box.x_high:
            marks.append(f'<path class="{css}" d="M{box.x(at / 1e6):.1f} 0V1000"/>')
    places = [("tick", 0.5), *((flight["lanes"][lane], above[lane] + 0.5) for lane in lanes)]
    names = "".join(
        f'<span class="y" style="top:{100 * at / height:.1f}%">{escape(str(text)[:14])}</span>'
        for text, at in places
    )
    label = f"ms from when tick {number(flight['tick'])} was due"
    legend = [(name, css) for (css, name) in shapes if not css.startswith("tick")]
    made = frame(box, marks, label, "", legend, overlay=names + "".join(texts), rem=1.3 * height)
    return f'<div class="flight">{made}</div>'


def _rows(spans: Sequence[Sequence[int]]) -> dict[int, tuple[int, int]]:
    """Of each span its lane and its row there: the first that is free, which nests what nests."""
    rows: dict[int, tuple[int, int]] = {}
    ends: dict[int, list[int]] = {}
    for i in sorted(range(len(spans)), key=lambda i: (spans[i][2], -spans[i][3])):
        _, lane, start, took = spans[i]
        of_lane = ends.setdefault(lane, [])
        row = next((r for r, end in enumerate(of_lane) if end <= start), len(of_lane))
        of_lane[row : row + 1] = [start + took]
        rows[i] = lane, min(row, _DEEPEST)
    return rows


def spread(record: Record) -> str:
    """The distribution of tick times, and how late ticks began."""
    done, budget_ns = _done_ms(record), record["loop"]["budget_ns"]
    if not done:
        return ""
    budget = None if budget_ns is None else budget_ns / 1e6
    ordered, bins, top = sorted(done), 60, _top(done, budget)
    p50, p99 = (ordered[math.ceil(len(done) * q) - 1] for q in (0.5, 0.99))
    counts = [0] * bins
    for y in done:
        counts[min(int(y / top * bins), bins - 1)] += 1
    rules = [Rule(f"p50 {number(p50)} ms", p50, "p50"), Rule(f"p99 {number(p99)} ms", p99, "p99")]
    if budget is not None:
        rules.insert(0, Rule(f"budget {number(budget)} ms", budget))
    edges = [top * i / bins for i in range(bins + 1)]
    plot = bar_plot(edges, counts, x_label="ms", y_label="ticks", rules=rules)
    lead = "Of the same times. Heights are square roots: rare ticks show."
    return f'<div class="pair">{section("Distribution", plot, lead)}{_lateness(record)}</div>'


def _lateness(record: Record) -> str:
    if record["loop"]["rate_hz"] is None:
        return ""
    ticks = record["ticks"]
    late = [(s - d) / 1e3 for s, d in zip(ticks["start_ns"], ticks["due_ns"], strict=True)]
    top = sorted(late)[int(len(late) * 0.99)] * 1.4
    xs = [start / 1e9 for start in ticks["start_ns"]]
    plot = line_plot(
        [Line("", xs, late, "c2", dots=True)], x_label="seconds", y_label="µs late", y_top=top or 1
    )
    p50, p99 = (duration(record["lateness"][key]) for key in ("p50_ns", "p99_ns"))
    granted = (record["pacing"] or {}).get("text")
    pacing = f" {escape(granted)}." if granted else ""
    return section("Wake-up lateness", plot, f"How late ticks began: p50 {p50}, p99 {p99}.{pacing}")
