"""The answer of `guide explain`: verdicts in order of what they would give back, and what is left.

Gains do not add up. Two verdicts may be about the same idle time, and what one of them gives back
the other cannot give again. So what they would give together is reckoned in their order: of each
only the part of its pins that none before it has pinned; of one without pins, its share of the
time that is still there. That can never be more than the step.
"""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable, Sequence
from dataclasses import dataclass, field, replace
from typing import Any, Literal

import numpy as np

from guide.explain.crowd import Crowd
from guide.explain.trace import Ints, covered_ns, union
from guide.plugin import Pin, Place, Verdict
from guide.plugins import Sentence

WORTH = 0.03
"""The least share of a step that is worth mending.

The median tick of equal runs differs by 3 to 6 % on a shared machine (see `guide.compare`): a gain
below that could not be told from chance, so nobody could know whether it had been one.
"""

Unit = Literal["step", "tick", "call", "trace"]


@dataclass(frozen=True, slots=True)
class Part:
    """A part of a step and its time."""

    name: str
    ns: int


@dataclass(frozen=True, slots=True)
class Line:
    """A line of a person's own and the time that a step spends in it and in what it calls.

    `calls` is what of it takes the time, where that is a call; of nested own functions only the
    innermost has it.
    """

    place: Place
    ns: int
    calls: str = ""


@dataclass(frozen=True, slots=True)
class Answer:
    """What there is to say of a trace, of a run or of a function.

    Attributes:
        subject: what it is about, as a person would type it.
        unit: what the time is that of: a "step", a "tick" of a run, a "call" of a function; the
            whole "trace" where that names no steps.
        step_ns: how long one takes; 0 where that is not known.
        steps: how many were looked at.
        worth: what is worth mending, by what it would give back, most first.
        left: what was looked at and is not worth it.
        meanwhile: what the machine did beside the program, which is no fault of it.
        remarks: what rules said in plain sentences.
        spent: what the step's time is, largest first or in the order that explains it best.
        lines: where in a person's own source a step is, most time first; empty: nobody looked.
        limits: what the time hangs on where nothing is wrong, in a sentence.
        unsettled: why nothing can be said where no rule found anything; "": it can.
        facts: lines about the subject itself.
        missing: what the evidence lacked.
        failed: rules that failed, and how.
        parts: every part of its time by name, to hold against another answer's: `spent` is what
            is told of them. Kernels side by side count twice, so that these may be more than it.
        crowd: how far other programs had the processors; None: not known.
    """

    subject: str
    unit: Unit
    step_ns: int
    steps: int = 1
    worth: tuple[Verdict, ...] = ()
    left: tuple[Verdict, ...] = ()
    remarks: tuple[str, ...] = ()
    spent: tuple[Part, ...] = ()
    lines: tuple[Line, ...] = ()
    limits: str = ""
    unsettled: str = ""
    facts: tuple[str, ...] = ()
    missing: tuple[str, ...] = ()
    failed: tuple[str, ...] = ()
    parts: tuple[Part, ...] = field(default=(), compare=False)
    meanwhile: tuple[Verdict, ...] = ()
    crowd: Crowd | None = None

    @property
    def healthy(self) -> bool:
        """Whether nothing is worth mending, as far as that can be told."""
        return not (self.worth or self.unsettled)

    def share(self, verdict: Verdict) -> float:
        """What part of a step a verdict would give back; 0 where the step's time is not known."""
        return verdict.recoverable_ns / self.step_ns if self.step_ns else 0.0

    def mended_ns(self, verdicts: Sequence[Verdict] | None = None) -> int:
        """How long a step would take with these mended, by default all that are worth it."""
        left, pinned = float(self.step_ns), _pinned(())
        for verdict in self.worth if verdicts is None else verdicts:
            gain = float(verdict.recoverable_ns)
            own = _pinned(verdict.pins)
            total = int((own[1] - own[0]).sum())
            if total:
                gain *= 1 - int(covered_ns(pinned, *own).sum()) / total
                pinned = union(*(np.concatenate(both) for both in zip(pinned, own, strict=True)))
            elif self.step_ns:
                gain *= left / self.step_ns
            left = max(left - gain, 0.0)
        return round(left)


def ranked(answer: Answer, found: Iterable[Verdict]) -> Answer:
    """`answer` with what rules found put where it belongs."""
    worth: list[Verdict] = []
    left: list[Verdict] = []
    meanwhile: list[Verdict] = []
    remarks: list[str] = []
    failed: list[str] = []
    for verdict in found:
        if isinstance(verdict, Sentence):
            (failed if verdict.failed else remarks).append(printable(verdict.says))
            continue
        verdict = _plain(verdict, answer.step_ns)
        if verdict.machine:
            meanwhile.append(verdict)
            continue
        least = WORTH * answer.step_ns
        # Of a function that was not timed a rule's word is all there is
        enough = verdict.recoverable_ns >= least if answer.step_ns else bool(verdict.remedy)
        gives = verdict.recoverable_ns > 0 or not answer.step_ns
        (worth if (gives and enough) or verdict.pressing else left).append(verdict)
    # Sorting is stable: among equals the rules' own order stays
    worth.sort(key=lambda verdict: -verdict.recoverable_ns)
    left.sort(key=lambda verdict: -verdict.recoverable_ns)
    return replace(
        answer,
        worth=(*answer.worth, *worth),
        left=(*answer.left, *left),
        meanwhile=(*answer.meanwhile, *meanwhile),
        remarks=(*answer.remarks, *remarks),
        failed=(*answer.failed, *failed),
    )


_TURNS = {*range(0x202A, 0x202F), *range(0x2066, 0x206A)}  # writing directions, left open


def printable(text: str) -> str:
    """`text` on one line and without what would steer a terminal: names come from anywhere."""
    text = " ".join(str(text).split())
    kept = (c for c in text if unicodedata.category(c) != "Cc" and ord(c) not in _TURNS)
    return "".join(kept)


def _plain(verdict: Verdict, step_ns: int) -> Verdict:
    """A verdict whose texts can be printed, and that promises no more than the step."""
    most = step_ns or verdict.recoverable_ns
    texts: dict[str, Any] = {
        name: printable(getattr(verdict, name))
        for name in ("title", "says", "why", "remedy", "check")
    }
    # A line of source keeps the spaces inside of it
    where = tuple(
        Place(printable(p.file), p.line, "".join(c for c in p.text.strip() if c.isprintable()))
        for p in verdict.where
    )
    evidence = tuple((printable(name), printable(value)) for name, value in verdict.evidence)
    gain = min(max(int(verdict.recoverable_ns), 0), most)
    return replace(verdict, **texts, where=where, evidence=evidence, recoverable_ns=gain)


def _pinned(pins: Iterable[Pin]) -> tuple[Ints, Ints]:
    kept = [(pin.start_ns, pin.end_ns) for pin in pins if pin.end_ns > pin.start_ns]
    pairs = np.array(kept, np.int64).reshape(-1, 2)
    return union(pairs[:, 0], pairs[:, 1])
