"""What changed between two runs, and whether it is real: an interval for every figure of the ticks.

The figures of a run are one draw of many that might have come. How much they would vary is
estimated from the run itself, by drawing its ticks again (the bootstrap). Neighbouring ticks
resemble each other, a slow second is slow throughout, so what is drawn are whole stretches of
ticks, longer than that resemblance lasts: the circular block bootstrap. When both runs went
through the same ticks (same options, seed and number) the same stretches are drawn of both, and
what they have in common cancels out.

That is the spread within a run. Another start of the same program differs by more: memory comes to
lie elsewhere, the machine does other things that minute. On a shared machine with two cores the
median tick of twelve equal runs spread by 3 to 6 %, and intervals from within the runs alone called
half of their pairs different. So the spread between runs is added: that of runs with the same
options and commit where the project has some, and until then `_BETWEEN`, which is assumed.

Sources: H. R. Künsch, The jackknife and the bootstrap for general stationary observations, Annals
of Statistics 17 (1989); D. N. Politis, J. P. Romano, A circular block-resampling procedure for
stationary data (1992); T. Mytkowicz et al., Producing wrong data without doing anything obviously
wrong!, ASPLOS 2009, https://doi.org/10.1145/1508244.1508275.
"""

from __future__ import annotations

import contextlib
import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import TYPE_CHECKING, Any

from guide.errors import GuideError
from guide.readback import read_record
from guide.record import known_runs
from guide.report import bounded, whole

if TYPE_CHECKING:
    import numpy as np
    from numpy.typing import NDArray

    Values = NDArray[np.float64]

_DRAWS = 500
_NEWEST = 10  # runs that are read to learn how far equal ones lie apart
_BLOCKS = 16  # stretches that a run must have; of fewer nothing is said
_TRUST = 4  # how many runs have to speak before they outweigh what is assumed
# How far equal runs lie apart, as the standard deviation of the logarithm of a figure: from
# twelve on a shared machine with two cores, where spinning caught most wake-ups of some only.
_BETWEEN = {
    "tick mean": 0.1,
    "tick p99": 0.2,
    "lateness p50": 3.0,
    "lateness p99": 0.3,
    "missed": 0.3,
}
_BETWEEN_ELSE = 0.04
_SAME = "no difference that this many ticks can show"


@dataclass(frozen=True, slots=True)
class Change:
    """One figure of two runs. Of every one of them less is better."""

    name: str
    old: float
    new: float
    unit: str  # "s", "B", "J", or "%" for shares of ticks and of a core
    # 95 % interval of what was added: a share of `old`, or for "%" points. None: not known.
    low: float | None = None
    high: float | None = None
    remark: str = ""  # instead of a verdict

    @property
    def real(self) -> bool:
        """Whether the interval leaves no doubt."""
        return self.low is not None and self.high is not None and (self.low > 0 or self.high < 0)

    @property
    def verdict(self) -> str:
        """The change in words: "faster by 12 % (9 to 15 %), real"."""
        if self.remark or self.low is None or self.high is None:
            return self.remark
        if not self.real:
            return _SAME
        points = self.unit == "%"
        scale, what = (1, " points") if points else (100, " %")
        change = self.new - self.old if points else self.new / self.old - 1
        low, middle, high = sorted(round(scale * abs(x), 1) for x in (self.low, change, self.high))
        word = {"s": ("faster", "slower")}.get(self.unit, ("less", "more"))[change > 0]
        return f"{word} by {middle:g}{what} ({low:g} to {high:g}{what}), real"


@dataclass(frozen=True, slots=True)
class Comparison:
    """Two runs: what was different about them, and what came of it."""

    differences: list[str]
    changes: list[Change]
    paired: bool
    repeats: int  # runs beyond the first of their kind, that the spread between runs is known from


@dataclass(frozen=True, slots=True)
class Repeat:
    """What is kept of a run to learn how far equal runs lie apart."""

    kind: str  # equal runs have equal ones
    figures: dict[str, float]


def repeat(record: Mapping[str, Any]) -> Repeat:
    """The figures of a run that repeats are held against each other by."""
    run = whole(record)
    kind = [run[key] for key in ("options", "seed", "machine", "source")] + [_pace(run)]
    figures = {
        f"{name} {what}": run[key][f"{what}_ns"] / 1e9
        for name, key in (("tick", "tick_time"), ("lateness", "lateness"))
        for what in ("p50", "p99", "mean")
    }
    return Repeat(repr(kind), figures | {name: value for name, _, value in _once(run)})


def repeats_beside(folder: Path) -> list[Repeat]:
    """What a run and the newest beside it say about how far equal runs lie apart."""
    found = []
    for run in [folder, *[run for run in known_runs(folder.parent) if run != folder][-_NEWEST:]]:
        with contextlib.suppress(GuideError):  # a record that cannot be read says nothing
            found.append(repeat(read_record(run)))
    return found


def compare(
    old: Mapping[str, Any], new: Mapping[str, Any], repeats: Sequence[Repeat] = ()
) -> Comparison:
    """Compare two records, the earlier one first.

    Args:
        old: a run.
        new: another.
        repeats: runs of the same project; of those that were equal the spread is learned.
    """
    old, new, between = whole(old), whole(new), _Between(repeats)
    found = [*_ticks(old, new, between), *_others(old, new, between)]
    return Comparison(differences(old, new), found, _paired(old, new), between.freedom)


def tick_change(
    old: Mapping[str, Any],
    new: Mapping[str, Any],
    repeats: Sequence[Repeat] = (),
    name: str = "tick p50",
) -> Change | None:
    """How a figure of the ticks changed, by default their median time; None where it is missing."""
    changes = _ticks(whole(old), whole(new), _Between(repeats))
    return next((change for change in changes if change.name == name), None)


def differences(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[str]:
    """What was different about two runs before they began: "option width: 640 -> 320"."""
    found = []
    for name, a, b in _conditions(old, new):
        if a != b:
            told = ("none" if value is None else str(value) for value in (a, b))
            found.append(f"{name}: {' -> '.join(told)}")
    return found


def _conditions(old: Mapping[str, Any], new: Mapping[str, Any]) -> Iterator[tuple[str, Any, Any]]:
    sources = [run.get("source") for run in (old, new)]
    a, b = (s and s["commit"] + " and changes" * s["dirty"] for s in sources)
    yield "commit", a, b
    for part, name in (("machine", ""), ("options", "option ")):
        for key in {**old[part], **new[part]}:
            yield f"{name}{key}", old[part].get(key), new[part].get(key)
    yield from zip(
        ("rate", "budget, ns", "overrun", "realtime"), _pace(old), _pace(new), strict=True
    )
    for key in ("seed", "guide", "status"):
        yield key, old[key], new[key]


def _pace(run: Mapping[str, Any]) -> list[Any]:
    loop = [run["loop"][key] for key in ("rate_hz", "budget_ns", "overrun")]
    return [*loop, (run.get("pacing") or {}).get("realtime", False)]


def _paired(old: Mapping[str, Any], new: Mapping[str, Any]) -> bool:
    """Whether both runs went through the same ticks."""
    a, b = ([run["seed"], run["options"], run["loop"]["rate_hz"]] for run in (old, new))
    counts = [(run["ticks"]["first"], len(run["ticks"]["due_ns"])) for run in (old, new)]
    return a == b and counts[0] == counts[1]


class _Between:
    """How far equal runs lie apart: learned from repeats, weighed against what is assumed."""

    def __init__(self, repeats: Sequence[Repeat]) -> None:
        self._kinds: dict[str, list[dict[str, float]]] = defaultdict(list)
        for run in repeats:
            self._kinds[run.kind].append(run.figures)
        self.freedom = sum(len(runs) - 1 for runs in self._kinds.values())

    def apart(self, name: str) -> float:
        """How far two equal runs may lie apart in a figure, as a share of it: 95 % do not."""
        freedom, squares = 0, 0.0
        for runs in self._kinds.values():
            logs = [math.log(run[name]) for run in runs if run.get(name, 0) > 0]
            mean = math.fsum(logs) / max(len(logs), 1)
            freedom += max(len(logs) - 1, 0)
            squares += math.fsum((log - mean) ** 2 for log in logs)
        assumed = _BETWEEN.get(name, _BETWEEN_ELSE)
        spread = math.sqrt((squares + _TRUST * assumed**2) / (freedom + _TRUST))
        return 1.96 * math.sqrt(2) * spread


def _once(run: Mapping[str, Any]) -> Iterator[tuple[str, str, float]]:
    """Name, unit and value of the figures that a run has once."""
    for name, span in run["spans"].items():
        yield f"span {name} p50", "s", span["p50_ns"] / 1e9
    for reading in run["usage"]["totals"]:
        if reading["name"] == "cpu" and run["seconds"]:
            yield "CPU, of a core", "%", 100 * reading["value"] / run["seconds"]
        elif reading["unit"] == "J" and run["loop"]["ticks"]:
            what = f"{reading['name'].partition('.')[2]} ({reading['source']})"
            yield f"energy a tick, {what}", "J", reading["value"] / run["loop"]["ticks"]
    memory = run["usage"]["samples"]["columns"].get("memory", {"values": []})["values"]
    yield "memory, at most", "B", max((value for value in memory if value is not None), default=0)


def _others(old: Mapping[str, Any], new: Mapping[str, Any], between: _Between) -> Iterator[Change]:
    """Figures of which each run has one: their interval is the spread between runs alone."""
    after = {name: value for name, _, value in _once(new)}
    for name, unit, a in _once(old):
        b = after.get(name, 0)
        if not a or not b:
            continue
        if name.endswith("(model)"):
            ends = [bounded(_model(run, name), 1 / run["loop"]["ticks"]) for run in (old, new)]
            yield Change(name, a, b, unit, remark=f"a model: {' -> '.join(ends)}")
            continue
        apart = between.apart(name)
        if unit == "%":
            added, apart = b - a, apart * max(a, b)
            yield Change(name, a, b, unit, added - apart, added + apart)
        else:
            low, high = (b / a * math.exp(x) - 1 for x in (-apart, apart))
            yield Change(name, a, b, unit, low, high)


def _model(run: Mapping[str, Any], name: str) -> Mapping[str, Any]:
    wanted = "energy." + name.removeprefix("energy a tick, ").removesuffix(" (model)")
    return next(r for r in run["usage"]["totals"] if r["name"] == wanted)


def _ticks(old: Mapping[str, Any], new: Mapping[str, Any], between: _Between) -> Iterator[Change]:
    """Figures of the ticks, with intervals from drawing the ticks again."""
    import numpy as np

    def columns(run: Mapping[str, Any]) -> list[Values]:
        ticks, budget_ns = run["ticks"], run["loop"]["budget_ns"]
        due, start, end = (np.array(ticks[key], float) for key in ("due_ns", "start_ns", "end_ns"))
        missed = (end - due > budget_ns) * 100.0 if budget_ns else np.empty(0)
        return [(end - start) / 1e9, (start - due) / 1e9, missed]

    whats = (("tick", "s", ("p50", "p99", "mean")), ("lateness", "s", ("p50", "p99")))
    for (name, unit, which), a, b in zip(
        (*whats, ("missed", "%", ("mean",))), columns(old), columns(new), strict=True
    ):
        if len(a) and len(b) and (a.any() or b.any() if unit == "%" else a.any() and b.any()):
            yield from _changed(name, unit, which, (a, b), _paired(old, new), between)


def _changed(
    name: str,
    unit: str,
    whats: Sequence[str],
    runs: tuple[Values, Values],
    paired: bool,
    between: _Between,
) -> Iterator[Change]:
    import numpy as np

    names = [f"{name} {what}" if unit == "s" else name for what in whats]
    values = np.array([_figures(run, whats) for run in runs])
    blocks = min(len(run) / block_length(run) for run in runs)
    if blocks < _BLOCKS:
        # Ticks that resemble their neighbours count as few, however many they are
        longer = math.ceil(_BLOCKS / max(blocks, 1e-9))
        remark = f"too few ticks to say: run {longer:,} times as long"
        for full, (a, b) in zip(names, values.T.tolist(), strict=True):
            yield Change(full, a, b, unit, remark=remark)
        return
    drawn = np.array([[_figures(run, whats) for run in again] for again in _drawn(*runs, paired)])

    def added(figures: Values) -> Values:
        with np.errstate(divide="ignore", invalid="ignore"):
            old, new = figures[..., 0, :], figures[..., 1, :]
            return new - old if unit == "%" else np.log(new / old)

    change = added(values)
    # Few stretches say little of their own spread: Student's t, over the normal's 1.96.
    ends = (np.quantile(added(drawn), (0.025, 0.975), axis=0) - change) * (1 + 1.21 / (blocks - 1))
    apart = np.array([between.apart(full) for full in names])
    apart *= values.max(axis=0) if unit == "%" else 1
    lows = change - np.hypot(np.minimum(ends[0], 0), apart)
    highs = change + np.hypot(np.maximum(ends[1], 0), apart)
    if unit != "%":
        lows, highs = np.expm1(lows), np.expm1(highs)
    for full, (a, b), low, high in zip(names, values.T.tolist(), lows, highs, strict=True):
        known = math.isfinite(low) and math.isfinite(high)
        yield Change(full, a, b, unit, *((float(low), float(high)) if known else (None, None)))


def _drawn(old: Values, new: Values, paired: bool) -> Iterator[tuple[Values, Values]]:
    import numpy as np

    rng = np.random.default_rng(0)  # the same two runs compare the same every time
    lengths = [block_length(run) for run in (old, new)]
    for _ in range(_DRAWS):
        first = _places(len(old), max(lengths) if paired else lengths[0], rng)
        yield old[first], new[first if paired else _places(len(new), lengths[1], rng)]


def _places(n: int, length: int, rng: np.random.Generator) -> NDArray[np.int64]:
    """Which of `n` values a draw takes: stretches of `length`; after the last comes the first."""
    import numpy as np

    starts = rng.integers(0, n, math.ceil(n / length))
    return ((starts[:, None] + np.arange(length)) % n).ravel()[:n]


def block_length(values: Values) -> int:
    """For how many values neighbours resemble each other, three times over.

    That is until the autocorrelation is lost in what chance gives, two over the root of n.
    """
    import numpy as np

    n = len(values)
    spectrum = np.fft.rfft(values - values.mean(), 2 * n)
    correlation = np.fft.irfft(np.abs(spectrum) ** 2)[:n]
    lost = correlation <= correlation[0] * 2 / math.sqrt(n)
    length = 3 * int(np.argmax(lost)) if lost.any() else n
    return int(max(length, math.ceil(n ** (1 / 3))))


def _figures(values: Values, whats: Sequence[str]) -> Values:
    """The mean, or percentiles by nearest rank."""
    import numpy as np

    ranks = {w: max(math.ceil(len(values) * int(w[1:]) / 100) - 1, 0) for w in whats if w != "mean"}
    ordered = np.partition(values, sorted(ranks.values())) if ranks else values
    return np.array([values.mean() if w == "mean" else ordered[ranks[w]] for w in whats])
