"""Who has the processors: too many threads of our own, other programs, the interpreter's lock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guide.foundations.rules.pauses import pages_from_disk
from guide.foundations.rules.seen import MEANT_TO_WAIT, Seen, places, threads
from guide.plugin import Verdict, Word
from guide.units import duration, percent

_READY = 1.25
"""Threads ready to run, for each processor, from which there are too many: less is what a sampler
and a garbage collector add for a moment."""

_DELAYED = 0.1
"""The share of a tick that its thread must stand in line before threads are called too many."""

_OTHERS = 0.2
"""The same for other programs: a desktop takes a tenth, and nobody can mend it from here."""

_JOINED = 0.1
"""The share of a tick that its thread must wait before it is taken to wait for the others' work:
then, with every processor busy, fewer threads would do the same work in the same time."""

_ASLEEP = 0.2
"""The share of a tick that must be waiting before it is called a wait."""

_TURNS = 1.2
"""Processors busy, at most, when threads take turns: two that run at once keep two busy."""

_ALL = 0.8
"""Threads running or ready, at least, where they take turns all the time: those that compute for
the loop are idle between two ticks."""

_LATE_NS = 1_000_000
"""How late a loop wakes, beyond what the machine and the kernel account for, that finds the lock
taken: it is given up every 5 ms."""

_EVERYWHERE = 0.25
"""The share of the mean wait that even the span which waits least must have: who wants the lock
waits wherever Python runs, who waits for a result waits in the one span that fetches it."""

_BESIDE = 1.05
"""The share of a tick that its spans may take together and still lie beside one another."""

_SHOWS = 0.02
"""The share of a tick that a span must take for its wait to be compared."""

_DELAY = Word("run delay", "Time a thread is ready to run while no processor is free.")
_GIL = Word("GIL", "The interpreter's lock: of all Python threads one runs at a time.")
_OFF_CPU = Word("off-CPU time", "Time in which a thread computes nothing: it sleeps or waits.")


def crowded(record: Mapping[str, Any]) -> list[Verdict]:
    """Whether the loop stands in line for a processor, and who stands before it.

    Args:
        record: the content of run.json.
    """
    seen = Seen(record)
    late = sum(map(seen.missed_over, ("woke late: no free", "preempted", "over budget")))
    if not seen.tells or not seen.cores or not (seen.bound or seen.often(late)):
        return []
    delay_ns = seen.delay_ns
    ready = seen.busy + seen.ready
    ours = ready >= _READY * seen.cores  # alone on the machine they would stand in line as well
    if delay_ns < (_DELAYED if ours else _OTHERS) * seen.done_ns:
        return []
    given_ns = delay_ns
    if ours and seen.asleep_ns > _JOINED * seen.done_ns:
        # The loop waits for those threads: with all processors busy their work takes its time
        given_ns = min(delay_ns, max(seen.work_ns - seen.busy * seen.done_ns / seen.cores, 0.0))
        given_ns *= given_ns > _DELAYED * seen.done_ns
    evidence = (
        *seen.evidence,
        ("processors", f"{seen.cores}"),
        ("kept busy by this run", f"{seen.busy:.2g}"),
        ("its threads ready to run", f"{ready:.2g} on average"),
        ("standing in line, a tick", duration(delay_ns)),
        ("given back", "the time the loop's thread stood in line, as the kernel counts it"),
    )
    if ours:
        return [
            Verdict(
                "more threads than processors",
                f"{ready:.2g} threads want to run on {seen.cores} processors: the loop stands in "
                f"line for {seen.share(delay_ns)} of a tick.",
                round(given_ns),
                why="Each thread gets its turn, a few milliseconds at a time, and what waits for "
                "all of them waits for the last.",
                remedy=f"Let no more than {seen.cores} compute at once: OMP_NUM_THREADS="
                f"{max(seen.cores - 1, 1)} in the environment, fewer workers in the options.",
                check="Run again: threads, delay in guide report stays near 0.",
                sure="sure",
                evidence=evidence,
                word=Word("oversubscription", "More threads that compute than processors."),
                teaches=("m2/s0", "m2/s2"),
            )
        ]
    return [
        Verdict(
            "other programs have the processors",
            f"Other programs had processors meanwhile: for {duration(delay_ns)} of a tick "
            f"({seen.share(delay_ns)}) the loop stood in line for one, while this run kept "
            f"{seen.busy:.2g} of {seen.cores} busy.",
            round(delay_ns),
            why="The kernel shares the processors out among all who want them.",
            remedy="On a quiet machine a tick is shorter by that: stop them (top shows which), or "
            "measure when they are done.",
            check="Run again on a quiet machine.",
            sure="likely" if "threads.delay" in seen.totals else "perhaps",
            evidence=evidence,
            word=_DELAY,
            teaches=("m5/s2", "m4/s2"),
            machine=True,
        )
    ]


def waiting(record: Mapping[str, Any]) -> list[Verdict]:
    """Whether a loop waits in its ticks instead of computing: for the lock, or for something else.

    Not where it waits for what runs beside it, on a device or on threads with spans of their own:
    that is a pipeline, and its track knows more of it. A loop that keeps to a rate is told only of
    a span that mostly waits: what else it waits for may be what keeps it there.

    Args:
        record: the content of run.json.
    """
    seen = Seen(record)
    asleep_ns = seen.asleep_ns
    if not seen.tells or seen.used is None or _waits_beside(seen):
        return []
    if pages_from_disk(record):
        return []  # it says for what
    if lock_ns := locked_ns(seen):
        told = seen.often(seen.missed_over("woke late: gil"))  # by the rule of waking late
        return [] if told else [_lock(seen, lock_ns)]
    span, waits_ns = seen.sleeper()
    waits_ns = min(waits_ns, asleep_ns)  # a span's own has standing in line in it
    if asleep_ns < _ASLEEP * seen.work_ns or span in MEANT_TO_WAIT:
        return []
    if _others_ns(seen) > asleep_ns / 2:
        return []  # it waits for what other threads compute for it: a join, and no fault
    # A span that mostly waits says where; spread over all of them it is no span's own
    measured = span in seen.waits()
    inside = waits_ns > asleep_ns / 2 if measured else waits_ns > _ASLEEP * seen.work_ns
    if not seen.bound and not (inside and _always_waits(seen, span, waits_ns)):
        return []
    given_ns = waits_ns if inside else asleep_ns
    says, least = f"it waits {duration(given_ns)}", "" if measured else " at least"
    if inside:
        takes_ns = seen.a_tick(seen.spans[span]["total_ns"])
        says = f"in {span} it waits{least} {duration(given_ns)} of its {duration(takes_ns)}"
    remedy = (
        f"Begin what {span if inside else 'it'} waits for earlier, on a thread beside the loop, "
        "and fetch the result when it is there. If it sleeps, let it not."
    )
    return [
        Verdict(
            "waiting, not computing",
            f"For {percent(given_ns, seen.work_ns)} of a tick the loop computes nothing: {says}.",
            round(given_ns),
            why="It sleeps, reads, or waits for a lock, another process or a device. No processor "
            "works on it meanwhile.",
            remedy=remedy,
            check="Run again: the processor is busier, and a tick is shorter.",
            sure="sure" if inside and measured else "likely",
            where=places(record, [span] if span else []),
            evidence=(
                *_wait(seen),
                *([(f"waiting in {span}{least}", duration(waits_ns))] if span else []),
                ("given back", "the wait, once it lies beside the work"),
            ),
            word=_OFF_CPU,
            teaches=("m2/s5", "m5/s1"),
        )
    ]


def _always_waits(seen: Seen, span: str, waits_ns: float) -> bool:
    """Whether a span waits in its usual ticks; in a few of them it is what is slow now and then."""
    of = seen.spans[span]
    beyond_ns = seen.a_tick(max(of["mean_ns"] - of["p50_ns"], 0) * of["count"])
    long = span not in seen.waits() or waits_ns > seen.a_tick(of["total_ns"]) / 2
    return long and beyond_ns < waits_ns / 2


def _waits_beside(seen: Seen) -> bool:
    beside_ns: float = seen.a_tick(sum(s["total_ns"] for s in seen.spans.values() if s["beside"]))
    return beside_ns > seen.asleep_ns / 2


def _others_ns(seen: Seen) -> float:
    """What other threads of this process computed, or wanted to, for each tick."""
    others_ns = seen.a_tick(seen.used["others_ns"]) if seen.used else 0.0
    # Ready and without a processor, who holds the lock goes on holding it
    delayed_ns = seen.a_tick(1e9 * seen.totals.get("threads.delay", 0.0)) - seen.delay_ns
    return others_ns + max(delayed_ns, 0.0)


def locked_ns(seen: Seen) -> float:
    """What the interpreter's lock costs a mean tick, 0 where it does not show that it does.

    Other threads of this process compute while the loop neither does nor stands in line, and never
    two at once. So it looks as well where a thread computes something for the loop, which waits
    for it. But that is one span, or the processors are idle between ticks; and a loop that wants
    the lock waits wherever it runs, and wakes late.
    """
    asleep_ns, others_ns = seen.asleep_ns, _others_ns(seen)
    undisturbed_ns = seen.work_ns - seen.delay_ns  # other programs hide no lock
    if not seen.tells or _waits_beside(seen) or asleep_ns <= _ASLEEP * undisturbed_ns:
        return 0.0
    if others_ns <= asleep_ns / 2 or seen.busy > _TURNS:
        return 0.0
    if seen.bound:
        return min(asleep_ns, others_ns) if _waits_everywhere(seen) else 0.0
    late_ns, slept = seen.late()
    late_ns -= seen.wakes_ns()
    if late_ns < _LATE_NS:
        return 0.0
    late_ns *= slept
    turns = seen.busy + seen.ready > _ALL and _waits_everywhere(seen)
    if not turns and late_ns - seen.delay_ns < _LATE_NS:
        return 0.0
    # Of the time in line a part may lie before the tick: taken off once, from both
    blocked_ns = seen.work_ns + late_ns - seen.a_tick(seen.used["cpu_ns"] if seen.used else 0)
    return max(min(blocked_ns - seen.delay_ns, others_ns), 0.0)


def _wait(seen: Seen) -> tuple[tuple[str, str], ...]:
    return (
        *seen.evidence,
        ("computing, a tick", duration(seen.a_tick((seen.used or {"cpu_ns": 0})["cpu_ns"]))),
        ("waiting, a tick", duration(seen.asleep_ns)),
        ("other threads, a tick", f"{duration(_others_ns(seen))} running or ready"),
        ("processors busy", f"{seen.busy:.2g}"),
    )


def _waits_everywhere(seen: Seen) -> bool:
    asked, waits = (seen.used or {}).get("spans", {}), seen.waits()
    long = [n for n in waits if seen.a_tick(seen.spans[n]["total_ns"]) > _SHOWS * seen.work_ns]
    if len(long) > 1:
        took = {n: asked[n]["total_ns"] / asked[n]["count"] for n in long}
        idle = {n: max(took[n] - asked[n]["cpu_ns"] / asked[n]["count"], 0) for n in long}
        mean = sum(idle.values()) / max(sum(took.values()), 1)
        # A short span is seldom caught waiting, so all but the one that waits most are one sample;
        # where spans nest, what that one waits is another's as well, and each speaks for itself
        if sum(seen.a_tick(seen.spans[n]["total_ns"]) for n in long) <= _BESIDE * seen.work_ns:
            rest = sorted(long, key=lambda n: idle[n])[:-1]
            share = sum(idle[n] for n in rest) / max(sum(took[n] for n in rest), 1)
        else:
            share = min(idle[n] / max(took[n], 1) for n in long)
        return bool(share > _EVERYWHERE * mean)
    # Not known span by span: it is so where no single one is long enough to hold all of it
    spans = [seen.a_tick(span["total_ns"]) for span in seen.inside.values()]
    return len(spans) > 1 and max(spans) < seen.asleep_ns


def _lock(seen: Seen, given_ns: float) -> Verdict:
    return Verdict(
        "waiting for the interpreter's lock",
        f"Threads take turns: for {seen.share(given_ns)} of a tick the loop waits while another "
        f"thread of this process computes; all of them keep {seen.busy:.2g} of {seen.cores} "
        "processors busy.",
        round(given_ns),
        why="Of all Python threads one runs at a time; one that computes gives the lock up every "
        "5 ms.",
        remedy="Move the other thread's work to a process, or into code that lets go of the lock.",
        check="Run again without that thread: a tick is shorter by its CPU time.",
        sure="likely",
        where=threads(seen.record),
        evidence=(*_wait(seen), ("given back", "the time of other threads, within that wait")),
        word=_GIL,
        teaches=("m2/s2",),
    )
