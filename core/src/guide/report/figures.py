"""What a run cost: figures at a glance, spans, values, resources, and what it ran on."""

from __future__ import annotations

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import replace
from html import escape
from typing import Any

from guide.plot import Line, line_plot
from guide.report.page import Record, bounded, cells, pair, section, table, tiles
from guide.units import duration, number, percent, quantity, size

# What a span is held against, by what it moves or computes: figures of the machine card, which
# holds those alone that were steady.
_ROOFS = {
    "bytes": ("triad.all", "bandwidth (triad, all threads)", "B/s"),
    "flops": ("fma.{dtype}.all", "{dtype} peak (FMA, all threads)", "FLOP/s"),
}


def glance(record: Record) -> str:
    """The figures to look at first."""
    loop, work, seconds = record["loop"], record["tick_time"], record["seconds"]
    first = [
        (number(loop["ticks"] / seconds) + " Hz" if seconds else "-", "ticks a second, achieved"),
        (duration(work["p50_ns"]), "tick time, half are below (p50)"),
        (duration(work["p99_ns"]), "tick time, 99 of 100 below (p99)"),
        (duration(work["max_ns"]), "longest tick"),
    ]
    if loop["budget_ns"] is not None:
        missed = f"{number(loop['missed'])} of {number(loop['ticks'])}"
        first.append((missed, "deadlines missed"))
    for key, label in (("skipped", "slots skipped"), ("suspended", "slots slept through")):
        if loop[key]:
            first.append((number(loop[key]), label))
    totals = {reading["name"]: reading for reading in record["usage"]["totals"]}
    if "cpu" in totals and seconds:
        busy = totals["cpu"]["value"] / seconds
        first.append((f"{100 * busy:.0f} %", "CPU, of one core, on average"))
    memory = record["usage"]["samples"]["columns"].get("memory", {"values": []})["values"]
    if any(memory):
        first.append((size(max(value for value in memory if value is not None)), "memory, at most"))
    for name, reading in totals.items():
        if name.startswith("energy"):
            what = f"energy, {name.partition('.')[2]} ({reading['source']})"
            first.append((bounded(reading), what))
    return tiles(first)


def spans(record: Record) -> str:
    """Cost per span, and its share of what this machine can do."""
    spans = record["spans"]
    if not spans:
        return ""
    work = record["tick_time"]["mean_ns"] * record["tick_time"]["count"]
    longest = max(span["total_ns"] for span in spans.values()) or 1
    head = ["span", "?all of it", "#of tick time", "#p50", "#p99", "#?count"]
    rows = [
        f"<th scope=row>{escape(name)}</th>"
        f'<td class="bar opt"><i style="width:{100 * span["total_ns"] / longest:.1f}%"></i></td>'
        + cells(
            "beside it" if span["beside"] else percent(span["total_ns"], work),
            duration(span["p50_ns"]),
            duration(span["p99_ns"]),
        )
        + f"<td class='n opt'>{number(span['count'])}</td>"
        + "".join(f"</tr><tr class=under><td colspan=6>{escape(words)}</td>" for words in shares)
        for name, span in sorted(spans.items(), key=lambda item: -item[1]["total_ns"])
        for shares in [of_ceiling(record, name)]
    ]
    why = "Beside it: on other threads or a device, while the loop went on."
    why = why if any(span["beside"] for span in spans.values()) else ""
    return section("Cost per span", table(head, rows), why)


def of_ceiling(record: Record, name: str) -> list[str]:
    """What a span moved and computed a second, in words; as a share where the card has a figure."""
    work, mean_ns = record["work"].get(name) or {}, record["spans"][name]["mean_ns"]
    words = []
    figures = (record["card"] or {}).get("figures", {})
    for key, (figure, roof, unit) in _ROOFS.items():
        if not work.get(key) or not mean_ns:
            continue
        dtype = work.get("dtype") or "f64"
        giga = work[key] / mean_ns  # bytes or operations a ns
        text = quantity(giga * 1e9, unit)
        best = figures.get(figure.format(dtype=dtype))
        if best and best["value"]:
            share = f"{percent(giga, best['value'])} of this machine's {roof.format(dtype=dtype)}"
            text = f"{share}: {text}"
        words.append(text)
    return words


def series(record: Record) -> str:
    """What the task logged; names that share what stands before the dot share a plot."""
    groups: dict[str, dict[str, Any]] = defaultdict(dict)
    for name, series in record["series"].items():
        groups[name.partition(".")[0]][name] = series
    plots = []
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
        axis = next(iter(members.values())).get("axis", "tick")
        plot = line_plot(lines, x_label=axis, y_label=unit or stem, from_zero=False)
        plots.append(section(escape(stem.capitalize()), plot, escape("; ".join(words)) + "."))
    return pair(plots)


def budgets(record: Record) -> str:
    """What the run was allowed, and what it used of that."""
    rows = []
    for budget in record["budgets"]:
        limit, unit = budget["limit"] or 1, budget["unit"]
        low, high = (budget[key] if budget[key] is not None else budget["used"] for key in BOUNDS)
        share = [min(max(100 * value / limit, 0), 100) for value in (low, high)]
        used = bounded({**budget, "value": budget["used"]})
        rows.append(
            f"<th scope=row>{escape(budget['name'])}</th>"
            f'<td class="bar {escape(budget["state"])}"><i style="width:{share[0]:.1f}%"></i>'
            f'<u style="width:{share[1] - share[0]:.1f}%"></u></td>'
            + cells(escape(used), escape(quantity(limit, unit)))
            + f"<td>{escape(budget['state'])}, source: {escape(budget['source'])}</td>"
        )
    head = ["budget", "used of it", "#used", "#limit", "state"]
    return section("Budgets", table(head, rows)) if rows else ""


BOUNDS = ("low", "high")


def resources(record: Record) -> str:
    """What was used, over time; energy has a section of its own."""
    samples = record["usage"]["samples"]
    t = [t_ns / 1e9 for t_ns in samples["t_ns"]]
    groups: dict[tuple[str, str], list[Line]] = defaultdict(list)
    sources: dict[tuple[str, str], list[str]] = defaultdict(list)
    still = []
    for name, column in samples["columns"].items():
        if column["unit"] == "J" or len(t) < 2:
            continue
        xs, ys, unit = over_time(t, column)
        if any(ys):
            stem = name.partition(".")[0]
            key = stem, unit if stem == "cpu" else unit.replace("of a core", "of the time")
            groups[key].append(Line(name, xs, ys, f"c{(3 + len(groups[key])) % 4}"))
            sources[key].append(column["source"])
        else:
            still.append(name.replace(".", ", "))
    plots = []
    for (stem, unit), lines in groups.items():
        label = f"{unit} ({', '.join(dict.fromkeys(sources[stem, unit]))})"
        if len(lines) == 1:
            stem, lines = lines[0].label.replace(".", ", "), [replace(lines[0], label="")]
        title = "CPU" if stem == "cpu" else "I/O" if stem == "io" else stem.capitalize()
        plots.append(section(escape(title), line_plot(lines, x_label="seconds", y_label=label)))
    quiet = f'<p class="why">Nothing happened to: {escape("; ".join(still))}.</p>' if still else ""
    return pair(plots) + quiet


def over_time(
    t: Sequence[float], column: Mapping[str, Any]
) -> tuple[Sequence[float], list[float | None], str]:
    """Times, values and unit to plot of a column of samples; a total becomes its rate."""
    values = [*column["values"], *[None] * (len(t) - len(column["values"]))]
    # A second of CPU a second is a whole core.
    scale, unit = {"B": (1e-6, "MB"), "s": (100, "%")}.get(column["unit"], (1, column["unit"]))
    if column["kind"] != "total":
        return t, [None if v is None else v * scale for v in values], unit
    steps = zip(t, t[1:], values, values[1:], strict=False)
    rates = [
        None if a is None or b is None or t1 <= t0 else scale * (b - a) / (t1 - t0)
        for t0, t1, a, b in steps
    ]
    return t[1:], rates, {"J": "W", "%": "% of a core", "": "a second"}.get(unit, f"{unit}/s")


def worst(record: Record) -> str:
    """The longest ticks, and where their time went."""
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
    head = ["#tick", "#?at", "#took", "#?began late by", "where the time went"]
    lead = "In red: over the deadline." if any(t["missed"] for t in record["worst"]) else ""
    return section("The longest ticks", table(head, rows), lead) if rows else ""


def commit(record: Record) -> str:
    """The source a run was made from, in words; empty where that is not known."""
    source = record.get("source")
    if not source:
        return ""
    return f"commit {source['commit']}{', changed since' if source['dirty'] else ''}"


def facts(record: Record) -> str:
    """What ran, and where."""
    machine = dict(record["machine"])
    if "memory_bytes" in machine:
        machine["memory"] = size(machine.pop("memory_bytes"))
    rows = {**record["facts"], "ended by": record["ended"], "seed": record["seed"]}
    rows |= {"source": commit(record)} if commit(record) else {}
    rows |= {f"option {name}": value for name, value in record["options"].items()} | machine
    return section("What ran, and where", _pairs((k, _fact(v)) for k, v in rows.items()))


def card(record: Record) -> str:
    """The figures of the machine card that the run was made on."""
    card = record["card"]
    if not card:
        return ""
    rows = []
    for name, figure in card["figures"].items():
        value, unit = figure["value"], figure["unit"]
        text = duration(value) if unit == "ns" else quantity(value, unit)
        spread = f" ± {percent(figure['spread'], 1)}" if figure["spread"] else ""
        rows.append((name.replace(".", " "), text + spread))
    lead = f"Measured {escape(str(card['measured'])[:10])} by <code>guide machine</code>."
    return section("This machine's limits", _pairs(rows), lead)


def _pairs(rows: Iterable[tuple[str, str]]) -> str:
    body = "".join(
        f"<tr><th scope=row>{escape(str(name))}</th><td>{escape(text)}</td></tr>"
        for name, text in rows
    )
    return f'<table class="facts">{body}</table>'


def _fact(value: Any) -> str:
    if isinstance(value, int | float) and not isinstance(value, bool):
        return number(value)
    return {None: "none", "": "none", True: "yes", False: "no"}.get(value, str(value))
