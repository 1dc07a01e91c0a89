"""Deadlines that are missed: the span that takes too long, and the loop that wakes too late."""

from __future__ import annotations

from collections.abc import Mapping
from pathlib import Path
from typing import Any

from guide.foundations.rules.processors import crowded, locked_ns
from guide.foundations.rules.seen import Seen, can_move, hot_lines, opening, places, told
from guide.plugin import Place, Verdict, Word
from guide.units import duration, percent

_ALWAYS = 0.5
"""The share of ticks over budget from which it is not a slow tick now and then, but what a tick
takes here: then the usual tick has to become shorter, not the slow one rarer."""

_SELDOM = 0.5
"""The share of ticks that a span must be in to be a part of every tick."""

_BESIDE = "wait"
"""The span of a loop that waits for threads beside it, as a pipeline's: what it takes is theirs."""

_OUTSIDE = "outside of spans"

_OVERRUN = Word("overrun", "A tick that is done after its deadline: when it was due, plus budget.")
_LATENESS = Word(
    "lateness", "How long after it was due a tick began: the sleep before it ended late."
)


def over_budget(record: Mapping[str, Any]) -> list[Verdict]:
    """Which span makes ticks miss their deadline.

    Args:
        record: the content of run.json.
    """
    seen = Seen(record)
    missed = seen.missed_over("over budget")
    if not seen.tells or seen.budget_ns is None or not seen.often(missed):
        return []
    causes = {
        name.removeprefix("over budget").lstrip(": "): count
        for name, count in seen.misses["causes"].items()
        if name.startswith("over budget")
    }
    # With its processor to itself; what others take from it is no span's doing
    theirs_ns = _taken_ns(seen)
    lock_ns = locked_ns(seen)
    usual_ns = seen.record["tick_time"]["p50_ns"] - theirs_ns - lock_ns
    if usual_ns > seen.budget_ns or (missed > _ALWAYS * seen.ticks and not lock_ns):
        return [_always(seen, missed, usual_ns, theirs_ns + lock_ns)]
    span = max(causes, key=lambda name: causes[name])
    if lock_ns or not seen.often(causes[span]) or span == _BESIDE:
        return []
    return _now_and_then(seen, span, causes[span])


def _taken_ns(seen: Seen) -> float:
    """Of a mean tick's work: how long its thread stood in line; before it, it is lateness."""
    late_ns = (seen.record.get("lateness") or {}).get("mean_ns") or 0
    return max(seen.delay_ns - (late_ns if seen.paced else 0), 0.0)


def _always(seen: Seen, missed: int, usual_ns: float, theirs_ns: float) -> Verdict:
    """Most ticks take longer than there is: the largest span has to become shorter."""
    budget_ns = seen.budget_ns or 0
    # A loop that waits for what runs beside it is as slow as that
    spans = {n: s for n, s in seen.spans.items() if n not in (_BESIDE, "gc", "capture")}
    spans = {n: s for n, s in spans.items() if _BESIDE in seen.inside or not s["beside"]}
    short_ns = max(seen.work_ns - theirs_ns - budget_ns, usual_ns - budget_ns, 0)
    evidence = [
        *seen.evidence,
        ("missed", f"{missed:,}, {percent(missed, seen.ticks)}"),
    ]
    given_ns, at_most = short_ns, False
    span = max(spans, key=lambda name: spans[name]["total_ns"], default="")
    if not span:
        says = f"a tick takes {duration(seen.work_ns)} and has {duration(budget_ns)}"
        remedy = "Put spans around its parts: the next run then names the one to mend."
        where: tuple[Place, ...] = ()
    else:
        of = spans[span]
        each_ns = seen.a_tick(of["total_ns"])
        says = (
            f"{span} takes {duration(of['p50_ns'])} (p99 {duration(of['p99_ns'])}), "
            f"{percent(each_ns, seen.work_ns)} of a tick that has {duration(budget_ns)}."
        )
        largest, part = (span, "") if each_ns >= seen.outside_ns else (_OUTSIDE, "what lies ")
        if largest == _OUTSIDE:
            says += f" More lies {_OUTSIDE}: {duration(seen.outside_ns)}."
        # It may be the largest and still be too small to be the remedy by itself
        remedy = (
            f"Make {part}{largest} {duration(short_ns)} cheaper"
            if short_ns < max(each_ns, seen.outside_ns)
            else f"A tick must become {duration(short_ns)} shorter: begin with {part}{largest}, "
            "the largest"
        )
        within = "" if largest == _OUTSIDE else span
        named, where = _costing(seen.record, within)
        remedy += named
        lines_ns = sum(ns for _, ns in hot_lines(seen.record, within)) * seen.calm
        if 0 < lines_ns < short_ns:  # more than what is named here does not come of mending it
            given_ns, at_most = lines_ns, True
        if largest == span and can_move(seen.record, span):
            remedy += " Do it every n-th tick (tick.every(n)), or move it beside the loop."
        evidence[3:3] = [(f"{span}, p50", duration(of["p50_ns"]))]
        evidence[4:4] = [(f"{span}, p99", duration(of["p99_ns"]))]
    over = f"{duration(short_ns)}: the tick over its budget, undisturbed"
    evidence.append(("over", over) if at_most else ("given back, at least", over))
    if at_most:
        evidence.append(("given back, at most", "all that these lines take"))
    return Verdict(
        "over budget",
        says,
        round(given_ns),
        why="The usual tick is longer than the time it has, so nearly every deadline is missed.",
        remedy=remedy,
        check="Run again: guide report says how many deadlines were missed.",
        sure="sure",
        at_most=at_most,
        where=where,
        evidence=tuple(evidence),
        word=_OVERRUN,
        teaches=("m4/s2", "m0::e3"),
    )


def _costing(record: Mapping[str, Any], span: str) -> tuple[str, tuple[Place, ...]]:
    """The end of a sentence that says to make a span cheaper, and the lines to do it in.

    The lines that take its time where those were sampled; or else what of the project opens it,
    for a line of a library is nothing to mend.
    """
    if lines := hot_lines(record, span):
        return f": {told(lines)}.", tuple(place for place, _ in lines)
    folder = (record.get("project") or {}).get("folder")
    more = ". guide profile . shows what in it takes the time." if folder else "."
    own = [p for p in opening(record, span) if _is_below(p, folder)] if span and folder else []
    return more, tuple(own)


def _is_below(place: Place, folder: str) -> bool:
    return Path(place.file).resolve().is_relative_to(Path(folder).resolve())


def _now_and_then(seen: Seen, span: str, missed: int) -> list[Verdict]:
    """A span that mostly fits takes much longer in some ticks.

    It was seen that it does. That it is the span's own doing is no more than likely, and less
    than that where others had its processor, or garbage was collected, for most of that time.
    """
    of = seen.spans.get(span)
    if of is None:
        given_ns = seen.a_tick(sum(m["over_ns"] for m in seen.misses["list"]))
        says = f"{missed:,} ticks took longer than their {duration(seen.budget_ns or 0)}."
        slow = Verdict(
            "over budget now and then",
            says,
            round(given_ns),
            remedy="Put spans around its parts: the next run then names the one to mend.",
            sure="likely",
            evidence=seen.evidence,
            word=_OVERRUN,
            teaches=("m4/s2", "m5/s1"),
        )
        return [slow]
    if of["count"] < _SELDOM * seen.ticks:
        return [_in_some(seen, span, of, missed)]
    # What it takes beyond its median, spread over all ticks
    beyond_ns = seen.a_tick(max(of["mean_ns"] - of["p50_ns"], 0) * of["count"])
    theirs_ns = _taken_ns(seen) + (seen.a_tick(seen.used["gc_ns"]) if seen.used else 0.0)
    # Who sleeps loses nothing to others meanwhile
    given_ns = max(beyond_ns - theirs_ns, min(beyond_ns, seen.asleep_ns))
    if given_ns < beyond_ns / 2:
        return []
    movable = can_move(seen.record, span)
    slow = Verdict(
        "over budget now and then",
        f"{span} mostly takes {duration(of['p50_ns'])}, but {duration(of['p99_ns'])} in one of a "
        f"hundred: {missed:,} deadlines were missed over it.",
        round(given_ns),
        why="It does something in some ticks that it does not do in the others.",
        remedy=f"Look at what {span} does in the ticks of the flight records (guide report --open)"
        + ("; spread it over ticks, or move it beside the loop." if movable else "."),
        check=f"Run again: {span}'s p99 comes close to its p50.",
        sure="likely",
        where=places(seen.record, [span]),
        evidence=(
            *seen.evidence,
            (f"{span}, p50", duration(of["p50_ns"])),
            (f"{span}, mean", duration(of["mean_ns"])),
            (f"{span}, p99", duration(of["p99_ns"])),
            ("given back", "its mean less its p50, over all ticks, less what others took"),
        ),
        word=_OVERRUN,
        teaches=("m4/s2", "m5/s1"),
    )
    return [slow]


def _in_some(seen: Seen, span: str, of: Mapping[str, Any], missed: int) -> Verdict:
    """A span that few ticks have, and those are late: an evaluation at every tenth step."""
    each_ns = seen.a_tick(of["total_ns"])
    movable = can_move(seen.record, span)
    return Verdict(
        "over budget now and then",
        f"{span} is in {of['count']:,} of {seen.ticks:,} ticks and takes {duration(of['p50_ns'])} "
        f"there: {missed:,} deadlines were missed over it, and of the mean tick it is "
        f"{percent(each_ns, seen.work_ns)}.",
        round(each_ns),
        why="What comes seldom is in no median and hardly in a profile of a few ticks; the mean "
        "pays for it all the same.",
        remedy="Do it less often, or less of it at a time"
        + ("; or beside the loop." if movable else "."),
        check=f"Run again: fewer ticks have {span}, and the mean is shorter.",
        sure="likely",
        at_most=True,
        where=places(seen.record, [span]),
        evidence=(
            *seen.evidence,
            (f"{span}, p50", duration(of["p50_ns"])),
            ("ticks that have it", f"{of['count']:,}"),
            ("given back, at most", "all of it, spread over all ticks"),
        ),
        word=_OVERRUN,
        teaches=("m4/s2", "m5/s1"),
    )


# What a cause of waking late says, and what to do: the first whose beginning fits counts.
_LATE = (
    (
        "woke late: gil",
        "another thread held the interpreter's lock",
        "A thread that computes in Python gives the lock up every 5 ms, and only then.",
        "Move that thread's work to a process, or into code that lets go of the lock.",
        Word("GIL", "The interpreter's lock: of all Python threads one runs at a time."),
        ("m2/s2", "m4/s2"),
    ),
    (
        "woke late: no free processor",
        "other work had every processor",
        "The tick was due and ready to run; the kernel counts how long it then stood in line.",
        "Stop that work, use fewer threads, or type: guide run --realtime",
        Word("run delay", "Time a thread is ready to run while no processor is free."),
        ("m2/s0", "m4/s2"),
    ),
    (
        "woke late",
        "the machine took its time",
        "The kernel, or the host of a virtual machine, woke the loop late.",
        "Type: guide run --realtime; guide machine shows how late this machine wakes at best.",
        _LATENESS,
        ("m4/s2",),
    ),
)


def late_wake(record: Mapping[str, Any]) -> list[Verdict]:
    """Whether deadlines are missed because the loop wakes late, and what keeps it from waking.

    Args:
        record: the content of run.json.
    """
    seen = Seen(record)
    missed = seen.missed_over("woke late")
    if not seen.tells or not seen.often(missed):
        return []
    causes = {c: n for c, n in seen.misses["causes"].items() if c.startswith("woke late")}
    if causes.get("woke late: gil", 0) > causes.get("woke late", 0) > 0:
        causes["woke late: gil"] += causes.pop("woke late")  # which is what cannot be told apart
    told = {cause for cause in causes if "no free processor" in cause and crowded(record)}
    return [
        _late_wake(seen, cause, count, count / missed)
        for cause, count in sorted(causes.items(), key=lambda item: -item[1])
        if seen.often(count) and cause not in told  # there it is said who has them
    ]


def _late_wake(seen: Seen, cause: str, missed: int, share: float) -> Verdict:
    """One cause of waking late, with its share of what that costs."""
    _, short, why, remedy, word, teaches = next(row for row in _LATE if cause.startswith(row[0]))
    best_ns = seen.wakes_ns()
    late_ns, slept = seen.late()
    given_ns = max(late_ns - best_ns, 0) * slept * share
    if cause == "woke late: gil" and seen.used:  # it waits for the lock within the tick as well
        given_ns += min(seen.asleep_ns, seen.a_tick(seen.used["others_ns"]))
    return Verdict(
        "late wake",
        f"The loop wakes {duration(late_ns)} late on average, and {short}: "
        f"{missed:,} deadlines were missed over it.",
        round(given_ns),
        why=why,
        remedy=remedy,
        check="Run again: guide report shows the wake-up lateness, p50 and p99.",
        sure="likely" if ":" in cause else "perhaps",
        evidence=(
            *seen.evidence,
            ("lateness, mean", duration(late_ns)),
            ("lateness at best", duration(best_ns)),
            ("late wakes with this cause", percent(share, 1)),
            ("given back", "that share of the mean lateness, less the best; waits for the lock"),
        ),
        word=word,
        teaches=teaches,
    )
