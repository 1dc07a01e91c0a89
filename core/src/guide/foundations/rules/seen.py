"""What the rules read of a run's record: figures with units, 0 or empty where it lacks them."""

from __future__ import annotations

import functools
from collections.abc import Mapping, Sequence
from typing import Any

from guide.plugin import Place
from guide.units import duration, percent

FEW = 20
"""Ticks below which a run says nothing: the first are caches, clocks and compilers warming up."""

SELDOM = 0.01
"""The share of ticks that must be late over one thing. A machine that others use as well loses
some in a thousand to them, and no loop was ever mended by knowing that."""

ONCE = 3
"""Ticks that must be late over it in any case: one is chance, two are a coincidence."""


_WAKES_NS = 100_000
"""How late a thread wakes that nobody disturbs, where no machine card says it for this machine."""

MEANT_TO_WAIT = frozenset(
    {"wait", "capture", "present", "live picture", "render/readback", "render/draw", "loss"}
)
"""Names of spans that are there to wait: for a frame, a camera, a screen, a device. That they
do is no finding; what they wait for is for the rules of a track."""

PHASES = frozenset({"data", "forward", "backward", "optimizer", "loss"})
"""Names of spans that are the phases of a training's step: without one it is another training."""

_HOT = 0.1
"""The share of what was sampled in a span from which a line is named as being in it."""

_OVER = 0.03
"""The share of a mean tick by which it must be over its budget before parts of it are blamed."""

_LOOKS = 5  # samples in a span below which they name no line of it
_LINES = 3  # of a span that are named


class Seen:
    """A run as the rules see it.

    Args:
        record: the content of run.json, of any age, finished or not.
    """

    def __init__(self, record: Mapping[str, Any]) -> None:
        self.record = record
        loop = record.get("loop") or {}
        self.ticks: int = loop.get("ticks") or 0
        self.budget_ns: int | None = loop.get("budget_ns")
        self.paced = loop.get("rate_hz") is not None
        self.spans: Mapping[str, Any] = record.get("spans") or {}
        self.work_ns = float((record.get("tick_time") or {}).get("mean_ns") or 0)
        self.wall_ns = float(record.get("seconds") or 0) * 1e9
        self.cores: int = (record.get("machine") or {}).get("threads") or 0
        usage = record.get("usage") or {}
        self.totals = {r["name"]: float(r["value"]) for r in usage.get("totals") or ()}
        self.samples: Mapping[str, Any] = usage.get("samples") or {"t_ns": [], "columns": {}}
        self.used: Mapping[str, Any] | None = usage.get("loop")
        self.misses: Mapping[str, Any] = record.get("misses") or {"causes": {}, "list": []}
        self.figures: Mapping[str, Any] = (record.get("card") or {}).get("figures") or {}

    @property
    def tells(self) -> bool:
        """Whether there is enough of it to say anything."""
        return self.ticks >= FEW and self.work_ns > 0

    @property
    def bound(self) -> bool:
        """Whether tick follows tick without a pause, be it asked for or for lack of time."""
        return not self.paced or self.work_ns * self.ticks > 0.95 * self.wall_ns > 0

    @functools.cached_property
    def done_ns(self) -> float:
        """Mean wall time of a tick: from when it was due until it was done."""
        ticks = self.record.get("ticks") or {"due_ns": [], "end_ns": []}
        took = [end - due for due, end in zip(ticks["due_ns"], ticks["end_ns"], strict=False)]
        return sum(took) / len(took) if took else self.work_ns

    @property
    def inside(self) -> dict[str, Any]:
        """Spans on the loop's own thread, garbage collections left out."""
        return {n: s for n, s in self.spans.items() if not s["beside"] and n != "gc"}

    def a_tick(self, total: float) -> float:
        """What of a total of the run falls on one tick."""
        return total / self.ticks if self.ticks else 0.0

    @functools.cached_property
    def outside_ns(self) -> float:
        """Of a mean tick: what lies in no span; 0 where there are no spans."""
        if not self.inside:
            return 0.0
        from guide.explain.spent.ticks import outer  # it draws numpy in: for who explains a run

        return max(self.work_ns - sum(part.ns for part in outer(self.record)), 0.0)

    @property
    def asleep_ns(self) -> float:
        """Of a mean tick: what the loop's thread neither computed nor stood in line for.

        It slept, or waited for a disk, a lock, another thread or a device. 0 where not known.
        """
        if self.used is None:
            return 0.0
        counted_ns = self.used["cpu_ns"] + self.used["run_delay_ns"]
        return max(self.work_ns - self.a_tick(counted_ns), 0.0)

    @property
    def delay_ns(self) -> float:
        """Of a mean tick: how long the loop's thread was ready and had no processor."""
        return self.a_tick(self.used["run_delay_ns"]) if self.used else 0.0

    @property
    def calm(self) -> float:
        """What part of a time that was spent computing is left on a machine with nobody else."""
        if not self.used or not self.used["cpu_ns"]:
            return 1.0
        cpu_ns = float(self.used["cpu_ns"])
        return cpu_ns / (cpu_ns + float(self.used["run_delay_ns"]))

    @property
    def busy(self) -> float:
        """Processors that this process kept busy on average; 0 where not known."""
        return 1e9 * self.totals.get("cpu", 0.0) / self.wall_ns if self.wall_ns else 0.0

    @property
    def ready(self) -> float:
        """Threads of this process that were ready to run and had no processor, on average."""
        delay_ns = 1e9 * self.totals.get("threads.delay", 0.0)
        return delay_ns / self.wall_ns if self.wall_ns else 0.0

    def waits(self) -> dict[str, float]:
        """Of each span on the loop's thread that was asked: its wait in a mean tick, in ns.

        Run delay is part of it: a span is not asked for that.
        """
        found = {}
        for name, asked in (self.used or {}).get("spans", {}).items():
            if asked["count"] and name in self.spans:
                each = max(asked["total_ns"] - asked["cpu_ns"], 0) / asked["count"]
                found[name] = self.a_tick(each * self.spans[name]["count"])
        return found

    def at_least(self) -> dict[str, float]:
        """Of each span that was not asked: what of the tick's wait must be its, in ns.

        Had all the rest of the tick done nothing but wait, this would be left.
        """
        rest = {n: self.work_ns - self.a_tick(s["total_ns"]) for n, s in self.inside.items()}
        known = self.waits()
        left = {n: self.asleep_ns - ns for n, ns in rest.items() if n not in known}
        return {name: ns for name, ns in left.items() if ns > 0}

    def sleeper(self) -> tuple[str, float]:
        """The span on the loop's thread that waits most, and its wait in a mean tick, in ns.

        Of spans that nest, the innermost. "" and 0 where none was asked and none must have waited.
        """
        waits = self.waits()
        if self.used and self.used["cpu_ns"]:
            # Who computes is who loses the processor and stands in line for it again
            for name, asked in self.used["spans"].items():
                if name in waits:
                    ran = asked["cpu_ns"] / asked["count"] * self.spans[name]["count"]
                    waits[name] -= self.delay_ns * min(ran / self.used["cpu_ns"], 1)
        waits |= self.at_least()
        most = max(waits.values(), default=0.0)
        if most <= 0:
            return "", 0.0
        inner = [name for name in waits if waits[name] > 0.8 * most]
        name = min(inner, key=lambda n: self.spans[n]["total_ns"])
        return name, waits[name]

    def late(self) -> tuple[float, float]:
        """Mean lateness of the ticks that the loop slept before, and their share of all."""
        ticks = self.record.get("ticks") or {"due_ns": [], "start_ns": [], "end_ns": []}
        due, start, end = ticks["due_ns"], ticks["start_ns"], ticks["end_ns"]
        late = [s - d for s, d, before in zip(start[1:], due[1:], end, strict=False) if before < d]
        return (sum(late) / len(late), len(late) / max(len(due) - 1, 1)) if late else (0.0, 0.0)

    def wakes_ns(self) -> float:
        """How late this machine wakes a thread at best, as far as is known."""
        known = [
            float(figure["value"])
            for name, figure in self.figures.items()
            if name.startswith("wake.") and figure.get("value")
        ]
        return min(known, default=_WAKES_NS)

    def missed_over(self, cause: str) -> int:
        """Ticks that missed their deadline over a cause, by what its name begins with."""
        causes = self.misses["causes"]
        return sum(count for name, count in causes.items() if name.startswith(cause))

    def over_ns(self, cause: str) -> float:
        """By how much the mean tick is over its budget, if it often misses it over a cause.

        0 where that is too little to be worth a word.
        """
        missed = self.missed_over(cause)
        if self.budget_ns is None or not self.often(missed):
            return 0.0
        over_ns = self.a_tick(sum(m["over_ns"] for m in self.misses["list"]))
        over_ns = max(self.work_ns - self.budget_ns, over_ns if missed <= 1000 else 0.0)
        return over_ns if over_ns >= _OVER * self.done_ns else 0.0

    def often(self, missed: int) -> bool:
        """Whether so many misses are worth a word."""
        return missed >= max(ONCE, SELDOM * self.ticks)

    def indices(self, cause: str) -> set[int]:
        """Numbers of the ticks that missed their deadline over a cause, of the newest 1,000."""
        return {m["index"] for m in self.misses["list"] if m["cause"].startswith(cause)}

    def column(self, name: str) -> list[tuple[float, float]]:
        """Samples of a reading: seconds since the start, value."""
        values = (self.samples["columns"].get(name) or {"values": []})["values"]
        pairs = zip(self.samples["t_ns"], values, strict=False)
        return [(t_ns / 1e9, float(value)) for t_ns, value in pairs if value is not None]

    @property
    def evidence(self) -> tuple[tuple[str, str], ...]:
        """What every verdict rests on."""
        rows = [("ticks", f"{self.ticks:,}"), ("tick, mean", duration(self.done_ns))]
        if self.budget_ns is not None:
            rows.insert(1, ("budget", duration(self.budget_ns)))
        return tuple(rows)

    def share(self, ns: float) -> str:
        """A time as a share of the mean tick."""
        return percent(ns, self.done_ns)


def places(record: Mapping[str, Any], spans: Sequence[str]) -> tuple[Place, ...]:
    """Lines of the project that take the time of these spans, or else those that open them.

    Which take it is known where `guide profile` has sampled the run. None where they cannot be
    found. The project's folder is no part of a record; `guide explain` adds it: project, folder.
    """
    found: list[Place] = []
    for span in spans:
        found += [place for place, _ in hot_lines(record, span)] or opening(record, span)
    return tuple(dict.fromkeys(found))


def opening(record: Mapping[str, Any], span: str) -> list[Place]:
    """Lines that open a span: the project's, or else its engine's."""
    folder = (record.get("project") or {}).get("folder")
    if not folder:
        return []
    from guide.explain.source import span_places  # it parses a project: for who asks for lines

    return [*span_places(folder, span)]


def hot_lines(record: Mapping[str, Any], span: str) -> list[tuple[Place, float]]:
    """The project's lines that a span's time was sampled in, and what of a tick each takes, in ns.

    With what they call: of a library's function it is the line that calls it. The one that takes
    most comes first. `span` "" is what lies in no span. Empty where nobody has sampled.
    """
    sampled = record.get("sampled") or {"rows": (), "ticks": 1}
    rows = [row for row in sampled["rows"] if _lies_in(row["span"], span)]
    sums: dict[tuple[str, int], tuple[Place, int]] = {}
    for row in rows:
        if row["file"]:
            place = Place(row["file"], row["line"], row["text"])
            sums[row["file"], row["line"]] = (
                place,
                row["ns"] + sums.get((row["file"], row["line"]), (place, 0))[1],
            )
    least = _HOT * sum(row["ns"] for row in rows)
    if sum(row["count"] for row in rows) < _LOOKS:
        return []
    found = sorted(sums.values(), key=lambda each: -each[1])[:_LINES]
    return [(place, ns / sampled["ticks"]) for place, ns in found if ns >= least]


def _lies_in(sampled: str, span: str) -> bool:
    return sampled == span or (span != "" and sampled.startswith(f"{span}/"))


def told(lines: Sequence[tuple[Place, float]]) -> str:
    """Lines in words, each with what it takes: "task.py:3 takes 2 ms, task.py:9 takes 1 ms"."""
    return ", ".join(f"{place} takes {duration(ns)}" for place, ns in lines)


def can_move(record: Mapping[str, Any], span: str) -> bool:
    """Whether a span's work may be done more rarely, or beside the loop, as far as is known.

    Not a phase of a training: that would be another training. Nor what an engine opens around its
    own work, or around a stage that it calls: the project has no tick there to ask.
    """
    if span in PHASES:
        return False
    folder = (record.get("project") or {}).get("folder")
    if not folder:
        return True
    from guide.explain.source import opens_span

    return opens_span(folder, span)


def threads(record: Mapping[str, Any]) -> tuple[Place, ...]:
    """Lines of the project that make threads; none where they cannot be found."""
    folder = (record.get("project") or {}).get("folder")
    if not folder:
        return ()
    from guide.explain.source import call_places

    return call_places(folder, ("Thread", "Timer", "ThreadPoolExecutor", "start_new_thread"))
