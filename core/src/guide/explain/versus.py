"""Two answers about the same program: what got better, and whether as much as was promised."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from typing import TYPE_CHECKING, Any

from guide.explain.answer import WORTH, Answer, Line
from guide.plugin import Verdict
from guide.units import duration

if TYPE_CHECKING:
    from guide.compare import Change

_MOVED = 3  # parts that are named
_APART = 0.11
_APART_TICKS = 0.28
"""How far two equal programs may lie apart where no interval is known: 95 % do not, by what
`guide.compare` assumes of medians, which a trace has, and of mean ticks."""

_BESIDE = 0.1  # of the largest change: what is less is not named beside it


@dataclass(frozen=True, slots=True)
class Moved:
    """A part of a step that takes longer than before, or less long; 0: it was not there, or is."""

    name: str
    before_ns: int
    after_ns: int

    @property
    def more_ns(self) -> int:
        """By how much longer it takes; negative: less long."""
        return self.after_ns - self.before_ns


def _more_ns(part: Moved) -> int:
    return part.more_ns


@dataclass(frozen=True, slots=True)
class Versus:
    """An answer, and one from before a change.

    A verdict is known again by its title, which rules keep the same.

    Attributes:
        before, after: the answers.
        change: of the mean tick's work, with its interval, where both are runs.
    """

    before: Answer
    after: Answer
    change: Change | None = field(default=None, compare=False)

    @property
    def gone(self) -> tuple[Verdict, ...]:
        """What was worth mending and is not any more."""
        still = {verdict.title for verdict in self.after.worth}
        return tuple(verdict for verdict in self.before.worth if verdict.title not in still)

    @property
    def still(self) -> tuple[tuple[Verdict, Verdict], ...]:
        """What is worth mending before and after, each as it was and as it is."""
        was = {verdict.title: verdict for verdict in self.before.worth}
        return tuple((was[v.title], v) for v in self.after.worth if v.title in was)

    @property
    def new(self) -> tuple[Verdict, ...]:
        """What is worth mending only now."""
        was = {verdict.title for verdict in self.before.worth}
        return tuple(verdict for verdict in self.after.worth if verdict.title not in was)

    @property
    def lines(self) -> tuple[tuple[Line, int], ...]:
        """Lines whose time has changed most, each as it was and by how many ns it is longer.

        A line is known again by its file and its words, for its number changes with what stands
        above it. Of one that is listed only once, all that is known is that it was below the rest.
        """
        after = {(line.place.file, line.place.text): line for line in self.after.lines}
        least = WORTH * self.before.step_ns
        found = []
        for was in self.before.lines if self.after.lines else ():
            now = after.get((was.place.file, was.place.text))
            longer_ns = (now.ns if now else 0) - was.ns
            if abs(longer_ns) >= least:
                found.append((was, longer_ns))
        return tuple(sorted(found, key=lambda each: -abs(each[1]))[:3])

    @property
    def moved(self) -> tuple[Moved, ...]:
        """The parts of a step whose time changed most, the largest change first."""
        found = sorted(self._parts(), key=lambda part: -abs(part.more_ns))
        if not found:
            return ()
        least = max(_BESIDE * abs(found[0].more_ns), 1)
        return tuple(part for part in found[:_MOVED] if abs(part.more_ns) >= least)

    @property
    def predicted(self) -> float | None:
        """The share of a step that mending what is gone was to win; None where nothing is."""
        gone = self.gone
        if not gone or not self.before.step_ns:
            return None
        return 1 - self.before.mended_ns(gone) / self.before.step_ns

    @property
    def shorter(self) -> Moved | None:
        """The part that takes less long now by most: others only ever make parts longer."""
        return min((p for p in self._parts() if p.more_ns < 0), key=_more_ns, default=None)

    def _parts(self) -> list[Moved]:
        was, now = ({p.name: p.ns for p in a.parts} for a in (self.before, self.after))
        names = dict.fromkeys([*was, *now]) if was and now else {}
        return [Moved(name, was.get(name, 0), now.get(name, 0)) for name in names]

    @property
    def measured(self) -> float | None:
        """The share of a step that is gone, net of others where known; negative: it is longer."""
        if (alone := self.alone_ns) is not None:
            return 1 - alone[1] / alone[0]
        return self._plain

    @property
    def _plain(self) -> float | None:
        """The share of a step that is gone, whoever made it longer or shorter."""
        if self.change is not None and self.change.old:
            return 1 - self.change.new / self.change.old
        if not (self.before.step_ns and self.after.step_ns):
            return None
        return 1 - self.after.step_ns / self.before.step_ns

    @property
    def alone_ns(self) -> tuple[int, int] | None:
        """A step before and after without the time in which others had its processor.

        None where that is not known, or too little in both to matter.
        """
        both = []
        for answer in (self.before, self.after):
            if answer.crowd is None or answer.crowd.in_line_ns is None:
                return None
            both.append((answer.step_ns, answer.crowd.in_line_ns))
        if any(step <= line for step, line in both):
            return None
        if all(line < WORTH * step for step, line in both):
            return None
        return both[0][0] - both[0][1], both[1][0] - both[1][1]

    @property
    def interval(self) -> tuple[float, float] | None:
        """Bounds of `measured`, where they are known: 95 % of what chance does lies inside.

        Without the time that others took it is as wide as with it, which is rather too wide.
        """
        change, plain, share = self.change, self._plain, self.measured
        if change is None or change.low is None or change.high is None:
            return None
        low, high = -change.high, -change.low
        if self.alone_ns is None or plain is None or share is None:
            return low, high
        scale = (1 - share) / (1 - plain)
        return 1 - (1 - low) * scale, 1 - (1 - high) * scale

    @property
    def chance(self) -> bool:
        """Whether two equal programs might differ by as much."""
        share, bounds = self.measured, self.interval
        if share is None:
            return False
        apart = _APART_TICKS if self.after.unit == "tick" else _APART
        return bounds[0] <= 0 <= bounds[1] if bounds else 0 < abs(share) < apart

    @property
    def doubt(self) -> str:
        """Why what was measured says nothing of the change; "": it does."""
        crowds = [each.crowd for each in (self.before, self.after)]
        felt = [c.others if c and c.felt else None for c in crowds]
        cores = max((c.cores for c in crowds if c), default=0)
        if self.alone_ns is not None or felt == [None, None]:
            return ""
        if None not in felt:
            had = f"{felt[0]:.1f} of {cores} processors before, and {felt[1]:.1f} after"
        else:
            which = "later" if felt[0] is None else "earlier"
            had = f"{felt[0] or felt[1]:.1f} of {cores} processors in the {which} one"
        return f"other programs had {had}"


def less(share: float) -> str:
    """A share of time won: "35 % less", "4 % more", "as long as before"."""
    points = round(100 * abs(share)) if abs(share) >= 0.1 else round(100 * abs(share), 1)
    if not points:
        return "no less"
    return f"{points:g} % {'less' if share > 0 else 'more'}"


def measured(versus: Versus) -> str:
    """What was measured, with its interval where there is one: "35 % less (31 to 39 %)"."""
    share, bounds = versus.measured, versus.interval
    if share is None:
        return "not measured"
    text = less(share)
    if bounds is not None:
        low, high = sorted(bounds) if share > 0 else sorted(-bound for bound in bounds)
        text = f"{text} ({100 * low:.0f} to {100 * high:.0f} %)"
    return f"{text}, which may be chance" if versus.chance else text


def shift(part: Moved) -> str:
    """What became of a part: "12.5 ms more: 13.5 ms, 1.04 ms before"."""
    more = "more" if part.more_ns > 0 else "less"
    now = duration(part.after_ns) if part.after_ns else "none"
    was = f"{duration(part.before_ns)} before" if part.before_ns else "none before"
    return f"{duration(abs(part.more_ns))} {more}: {now}, {was}"


def slower(versus: Versus) -> bool:
    """Whether a step takes so much longer that it is neither chance nor others' doing."""
    return (versus.measured or 0.0) < -WORTH and not (versus.chance or versus.doubt)


def held(versus: Versus) -> str:
    """The promise for what is gone against what came of it, in a sentence; "" of nothing gone."""
    promised = versus.predicted
    if promised is None:
        return ""
    names = said(verdict.title for verdict in versus.gone)
    text = f"{less(promised)} was predicted for {names}; "
    if versus.doubt:
        text += f"what came of it cannot be told: {versus.doubt}; measure again when they are gone"
    elif versus.alone_ns is not None:
        text += f"measured, without its time in line for processors: {measured(versus)}"
    else:
        text += f"measured: {measured(versus)}"
    part = versus.shorter if versus.doubt or versus.chance else None
    if part is not None and -part.more_ns >= WORTH * versus.before.step_ns:
        text += f". What became shorter most: {part.name}, {shift(part)}"
    return text


def said(names: Any) -> str:
    """Names in a sentence: "a, b and c"."""
    names = list(names)
    return " and ".join([", ".join(names[:-1]), names[-1]]) if len(names) > 1 else names[0]


def written_versus(versus: Versus, documents: Sequence[dict[str, Any]]) -> dict[str, Any]:
    """Two answers as plain data: both documents, and what is between them."""
    share, bounds, promised = versus.measured, versus.interval, versus.predicted
    return {
        "schema": documents[0]["schema"],
        "before": documents[0],
        "after": documents[1],
        "gone": [verdict.title for verdict in versus.gone],
        "still": [verdict.title for _, verdict in versus.still],
        "new": [verdict.title for verdict in versus.new],
        "moved": [
            {"name": part.name, "before_ns": part.before_ns, "after_ns": part.after_ns}
            for part in versus.moved
        ],
        "predicted": None if promised is None else round(promised, 6),
        "measured": None if share is None else round(share, 6),
        "interval": None if bounds is None else [round(bound, 6) for bound in bounds],
        "net": versus.alone_ns is not None,
        "doubt": versus.doubt,
    }
