"""Joules of a run: each source by itself, measured ones first, a model as an interval."""

from __future__ import annotations

from html import escape

from guide.plot import Line, line_plot
from guide.report.figures import over_time
from guide.report.page import Record, bounded, cells, pair, section, table

_SAYS = {
    "rapl": "counted by the processor itself (RAPL)",
    "nvml": "counted by the GPU (NVML)",
    "model": "a model, not a measurement: CPU time times what a busy hardware thread may draw",
}


def energy(record: Record) -> str:
    """What each source says: joules, joules a tick, watts; then power over time."""
    totals = [r for r in record["usage"]["totals"] if r["unit"] == "J"]
    totals.sort(key=lambda reading: reading["source"] == "model")
    ticks, seconds = record["loop"]["ticks"], record["seconds"]
    if not totals or not ticks or not seconds:
        return ""
    rows = [
        f"<th scope=row>{escape(r['name'].partition('.')[2] or r['name'])}</th>"
        + cells(escape(bounded(r)), escape(bounded(r, 1 / ticks)))
        + f"<td class='n opt'>{escape(bounded({**r, 'unit': 'W'}, 1 / seconds))}</td>"
        + f"</tr><tr class=under><td colspan=4>{escape(r['source'])}: "
        + f"{_SAYS.get(r['source'], 'as its meter says')}</td>"
        for r in totals
    ]
    lead = "Never add these up: they are different looks at what may be the same joules."
    head = ["", "#in all", "#a tick", "#?on average"]
    made = section("Energy", table(head, rows), lead if len(rows) > 1 else "")
    return made + pair(_power(record, [r["name"] for r in totals]))


def _power(record: Record, names: list[str]) -> list[str]:
    samples = record["usage"]["samples"]
    t, plots = [t_ns / 1e9 for t_ns in samples["t_ns"]], []
    totals = {reading["name"]: reading for reading in record["usage"]["totals"]}
    for name in names:
        column, total = samples["columns"].get(name), totals[name]
        if column is None or len(t) < 3:
            continue
        each = max(len(t) // 200, 1)  # a total's growth over longer steps is the mean power of each
        xs, ys, unit = over_time(t[::each], {**column, "values": column["values"][::each]})
        band = None
        if total["low"] is not None and total["value"]:
            # A model's bounds are constant watts a thread, so the same factors hold at any time.
            band = total["low"] / total["value"], total["high"] / total["value"]
        line = Line("between these bounds" if band else "", xs, ys, "c1", band=band)
        title = f"Power, {name.partition('.')[2] or name}"
        label = f"{unit} ({column['source']})"
        plots.append(section(escape(title), line_plot([line], x_label="seconds", y_label=label)))
    return plots
