"""The figures of a run as it is now, as the page draws them: text where it only shows them."""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from guide.resources import Reading, Sampler
from guide.run import Run, Series
from guide.timing import Summary
from guide.units import duration, interval, number, percent, quantity, size

if TYPE_CHECKING:
    from guide.ticks import TickColumns

_BREATH_S = 100e-6  # between two parts, so that a loop that wakes need not wait for all of them
_SECONDS, _FEWEST, _MOST = 10, 60, 12_000  # ticks that are drawn: those of so many seconds
_COLUMNS = 240  # ticks side by side; where there are more, the longest stands for its neighbours
_SPANS, _SERIES, _POINTS = 12, 24, 100
_NEWEST_SPANS = 2_000


class Stats:
    """Composes what the page shows.

    Args:
        project: its name.
        track: its track.
        run: the run.
        sampler: for CPU, memory and energy.
        budgets: returns the run's budgets as they are now, each as it stands in the record.

    Attributes:
        outcome: how the run ended, once it has: "state", "text", "report".
    """

    def __init__(
        self,
        project: str,
        track: str,
        run: Run,
        sampler: Sampler,
        budgets: Callable[[], Sequence[Mapping[str, Any]]] = tuple,
    ) -> None:
        self._project, self._track = project, track
        self._run, self._sampler, self._budgets = run, sampler, budgets
        self.outcome: Mapping[str, str] | None = None

    def now(self) -> dict[str, Any]:
        """The figures now; any thread may ask. Times in ms, and nothing that JSON lacks."""
        run, loop = self._run, self._run.loop
        columns = loop.log.columns(max(loop.log.count - _MOST, 0))
        time.sleep(_BREATH_S)
        ticks, rate_hz = self._ticks(columns)
        time.sleep(_BREATH_S)
        spans = self._spans()
        time.sleep(_BREATH_S)
        budget_ms = None if loop.budget_ns is None else loop.budget_ns / 1e6
        return {
            "project": self._project,
            "track": self._track,
            "state": self._state(),
            "outcome": self.outcome,
            "elapsed": self._elapsed(),
            "tick": number(loop.log.count),
            "rate": f"{rate_hz:.1f} Hz" if rate_hz else "-",
            "goal": "free-running" if loop.rate_hz is None else f"of {number(loop.rate_hz)} Hz",
            "speed": loop.speed,
            "budget_ms": budget_ms,
            "budget": None if loop.budget_ns is None else duration(loop.budget_ns),
            "verdict": self._verdict(),
            "skipped": number(loop.log.skipped) if loop.log.skipped else None,
            "ticks": ticks,
            "spans": [_span("tick", loop.log.work, ticks["newest_ns"], False), *spans],
            "causes": sorted(dict(loop.causes).items(), key=lambda item: -item[1]),
            "misses": [[m.miss.index, m.text] for m in list(loop.misses.explained)[-3:]],
            "series": [_series(*item) for item in list(run.series.items())[:_SERIES]],
            "machine": machine(self._sampler),
            "budgets": [_budget(budget) for budget in self._budgets()],
            "facts": [[name, str(value)] for name, value in list(run.facts.items())],
            "notes": run.notes[-4:],
            "picture": run.has_picture,
            "caption": run.caption,
        }

    def _state(self) -> str:
        loop = self._run.loop
        if self.outcome is not None:
            return self.outcome["state"]
        if not self._run.started_ns:
            return "starting"
        if self._run.ended_ns or loop.ended:
            return "ending"
        return "paused" if loop.paused else "running"

    def _verdict(self) -> tuple[str, str]:
        """How it goes, in a sentence, and "good", "bad" or "unsure"."""
        log = self._run.loop.log
        if log.budget_ns is None:
            return "Runs free, with no deadline set.", "good"
        if not log.count:
            return "No tick has ended yet.", "unsure"
        if not log.missed:
            so_far = "" if self.outcome else " so far"
            return f"Every tick{so_far} met its {duration(log.budget_ns)} deadline.", "good"
        share = f"{number(log.missed)} of {number(log.count)} ticks"
        text = f"{share} ({percent(log.missed, log.count)}) missed their "
        text += f"{duration(log.budget_ns)} deadline."
        return text, "bad" if log.missed > log.count / 20 else "unsure"

    def _elapsed(self) -> str:
        run = self._run
        if not run.started_ns:
            return "00:00"
        seconds = max((run.ended_ns or run.clock.now_ns()) - run.started_ns, 0) // 1_000_000_000
        return f"{seconds // 60:02}:{seconds % 60:02}"

    def _ticks(self, c: TickColumns) -> tuple[dict[str, Any], float]:
        """The newest ticks from due to done, in columns; and how many there are a second."""
        n = len(c.end_ns)
        if not n:
            return {"ms": [], "missed": [], "each": 1, "newest_ns": None}, 0.0
        recent = int(np.count_nonzero(c.end_ns > c.end_ns[-1] - _SECONDS * 1_000_000_000))
        first = n - min(max(recent, _FEWEST), n)
        took_ns = (c.end_ns - c.due_ns)[first:]
        each = -(-len(took_ns) // _COLUMNS)
        # Columns of whole groups, counted from the run's first tick: a tick stays with its group.
        starts = np.arange(-((first + c.first) % each), len(took_ns), each).clip(0)
        ms = np.maximum.reduceat(took_ns, starts) / 1e6
        over = took_ns > (c.budget_ns if c.budget_ns is not None else 2**62)
        missed = np.logical_or.reduceat(over, starts)
        second = int(np.count_nonzero(c.start_ns > c.start_ns[-1] - 1_000_000_000))
        back = min(max(second, 10), n) - 1
        passed_ns = int(c.start_ns[-1] - c.start_ns[-1 - back])
        drawn = {
            "ms": np.round(ms, 3).tolist(),
            "missed": missed.astype(int).tolist(),
            "each": each,
            "newest_ns": int(c.end_ns[-1] - c.start_ns[-1]),
        }
        return drawn, back * 1e9 / passed_ns if passed_ns else 0.0

    def _spans(self) -> list[dict[str, Any]]:
        timeline = self._run.timeline
        stats, beside = timeline.stats(), timeline.beside
        c = timeline.columns(_NEWEST_SPANS)
        newest = dict(zip(c.name.tolist(), (c.end_ns - c.start_ns).tolist(), strict=True))
        ids = {name: i for i, name in enumerate(c.names)}
        largest = set(sorted(stats, key=lambda name: -stats[name].total)[:_SPANS])
        return [
            _span(name, h, newest.get(ids.get(name, -1)), name in beside)
            for name, h in stats.items()
            if name in largest
        ]


def _span(name: str, histogram: Any, newest_ns: int | None, beside: bool) -> dict[str, Any]:
    summary = Summary.of(histogram)
    ns = [summary.p50_ns, summary.p99_ns, newest_ns]
    return {
        "name": name,
        "beside": beside,
        "ms": [None if t is None else round(t / 1e6, 4) for t in ns],
        "text": ["-" if t is None or not summary.count else duration(t) for t in ns],
    }


def _series(name: str, series: Series) -> dict[str, Any]:
    values = series.values[-_POINTS:]
    return {
        "name": name,
        "text": quantity(values[-1], series.unit) if values else "-",
        "values": [v if math.isfinite(v) else None for v in values],
    }


def _budget(budget: Mapping[str, Any]) -> dict[str, Any]:
    used, limit, unit = budget["used"], budget["limit"] or 1, budget["unit"]
    high = used if budget["high"] is None else budget["high"]
    text = quantity(used, unit) if budget["low"] is None else interval(budget["low"], high, unit)
    return {
        "name": budget["name"],
        "share": high / limit,
        "text": f"{text} of {quantity(limit, unit)}",
    }


def machine(sampler: Sampler) -> list[list[str]]:
    """What is used, over the last second where it is a rate: value, what it is."""
    samples = sampler.samples
    if len(samples) < 2:
        return []
    (t0, before), (t1, now) = samples[max(len(samples) - 11, 0)], samples[-1]
    seconds = (t1 - t0) / 1e9 or 1.0
    old = {reading.name: reading for reading in before}
    tiles = []
    for reading in now:
        last = old.get(reading.name)
        if reading.name == "cpu" and last is not None:
            busy = 100 * (reading.value - last.value) / seconds
            tiles.append([f"{busy:.0f} %", "CPU, of one core"])
        elif reading.name == "memory":
            tiles.append([size(reading.value), "memory"])
        elif reading.unit == "J" and last is not None:
            part = reading.name.partition(".")[2] or reading.name
            tiles.append([_power(reading, last, seconds), f"power, {part} ({reading.source})"])
            tiles.append([_bounded(reading), f"energy, {part} ({reading.source})"])
    return tiles


def _power(reading: Reading, last: Reading, seconds: float) -> str:
    (low, high), (low0, high0) = _bounds(reading), _bounds(last)
    if reading.low is None:
        return quantity((reading.value - last.value) / seconds, "W")
    return f"{(low - low0) / seconds:.1f} to {(high - high0) / seconds:.1f} W"


def _bounded(reading: Reading) -> str:
    if reading.low is None:
        return quantity(reading.value, reading.unit)
    return interval(*_bounds(reading), reading.unit)


def _bounds(reading: Reading) -> tuple[float, float]:
    low, high = reading.low, reading.high
    return (reading.value if low is None else low, reading.value if high is None else high)
