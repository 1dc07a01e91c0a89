"""Who has the processors: too many threads of our own, other programs, the interpreter's lock."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guide.foundations.rules.pauses import pages_from_disk
from guide.foundations.rules.seen import MEANT_TO_WAIT, Seen, places
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

_EVERYWHERE = 0.25
"""The share of the mean wait that even the span which waits least must have: who wants the lock
waits wherever Python runs, who waits for a result waits in the one span that fetches it."""

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
    late = seen.missed_over("woke late: no free") + seen.missed_over("preempted")
    if not seen.tells or not seen.cores or not (seen.bound or seen.often(late)):
        return []
    delay_ns = seen.delay_ns
    waiting = 1e9 * seen.totals.get("threads.delay", 0.0) / seen.wall_ns if seen.wall_ns else 0.0
    ready = seen.busy + waiting
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
            f"The loop stood in line for {seen.share(delay_ns)} of a tick, while this run kept "
            f"{seen.busy:.2g} of {seen.cores} processors busy: other programs ran.",
            round(delay_ns),
            why="The kernel shares the processors out among all who want them.",
            remedy="Stop them (top shows which), or measure when they are done.",
            check="Run again on a quiet machine.",
            sure="likely" if "threads.delay" in seen.totals else "perhaps",
            evidence=evidence,
            word=_DELAY,
            teaches=("m5/s2", "m4/s2"),
        )
    ]


def waiting(record: Mapping[str, Any]) -> list[Verdict]:
    """Whether a free-running loop waits instead of computing: for the lock, or for something else.

    Not where it waits for what runs beside it, on a device or on threads with spans of their own:
    that is a pipeline, and its track knows more of it.

    Args:
        record: the content of run.json.
    """
    seen = Seen(record)
    asleep_ns = seen.asleep_ns
    if not seen.tells or not seen.bound or seen.used is None:
        return []
    if asleep_ns < _ASLEEP * seen.work_ns:
        return []
    if pages_from_disk(record):
        return []  # it says for what
    beside_ns = seen.a_tick(sum(s["total_ns"] for s in seen.spans.values() if s["beside"]))
    if beside_ns > asleep_ns / 2:
        return []
    span, waits_ns = seen.sleeper()
    waits_ns = min(waits_ns, asleep_ns)  # a span's own has standing in line in it
    if span in MEANT_TO_WAIT:
        return []
    others_ns = seen.a_tick(seen.used["others_ns"])
    # Ready and without a processor, who holds the lock goes on holding it
    delayed_ns = seen.a_tick(1e9 * seen.totals.get("threads.delay", 0.0)) - seen.delay_ns
    others_ns += max(delayed_ns, 0.0)
    evidence = [
        *seen.evidence,
        ("computing, a tick", duration(seen.a_tick(seen.used["cpu_ns"]))),
        ("waiting, a tick", duration(asleep_ns)),
        ("other threads, a tick", f"{duration(others_ns)} running or ready"),
        ("processors busy", f"{seen.busy:.2g}"),
    ]
    if span:
        evidence.append((f"waiting in {span}", duration(waits_ns)))
    where = places(record, [span] if span else [])
    if others_ns > asleep_ns / 2:
        if seen.busy > _TURNS or not _waits_everywhere(seen):
            return []  # it waits for what other threads compute for it: a join, and no fault
        return [_lock(seen, min(asleep_ns, others_ns), evidence, where)]
    # A span that mostly waits says where; spread over all of them it is no span's own
    inside = f"in {span} " if waits_ns > asleep_ns / 2 else ""
    given_ns = waits_ns if inside else asleep_ns
    return [
        Verdict(
            "waiting, not computing",
            f"For {percent(given_ns, seen.work_ns)} of a tick the loop computes nothing: {inside}"
            f"it waits {duration(given_ns)}.",
            round(given_ns),
            why="It sleeps, or waits for a disk, a socket, another process or a device. No "
            "processor works on it meanwhile.",
            remedy=f"Begin what {span if inside else 'it'} waits for earlier, on a thread beside "
            "the loop, and fetch the result when it is there.",
            check="Run again: the processor is busier, and a tick is shorter.",
            sure="sure" if inside else "likely",
            where=where,
            evidence=(*evidence, ("given back", "the wait, once it lies beside the work")),
            word=_OFF_CPU,
            teaches=("m2/s5", "m5/s1"),
        )
    ]


def _waits_everywhere(seen: Seen) -> bool:
    asked, waits = (seen.used or {}).get("spans", {}), seen.waits()
    long = [n for n in waits if seen.a_tick(seen.spans[n]["total_ns"]) > _SHOWS * seen.work_ns]
    shares = [1 - asked[n]["cpu_ns"] / max(asked[n]["total_ns"], 1) for n in long]
    return len(shares) > 1 and min(shares) > _EVERYWHERE * sum(shares) / len(shares)


def _lock(seen: Seen, given_ns: float, evidence: list[tuple[str, str]], where: Any) -> Verdict:
    return Verdict(
        "waiting for the interpreter's lock",
        f"Threads take turns: for {seen.share(given_ns)} of a tick the loop waits while another "
        f"thread of this process computes, and {seen.busy:.2g} processors are busy in all.",
        round(given_ns),
        why="Of all Python threads one runs at a time; one that computes gives the lock up every "
        "5 ms.",
        remedy="Move the other thread's work to a process, or into code that lets go of the lock.",
        check="Run again without that thread: a tick is shorter by its CPU time.",
        sure="likely",
        where=where,
        evidence=(*evidence, ("given back", "the time of other threads, within that wait")),
        word=_GIL,
        teaches=("m2/s2",),
    )
