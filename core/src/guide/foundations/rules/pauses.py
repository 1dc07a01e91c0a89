"""Pauses that the program did not ask for: garbage, pages from disk, pages that are new."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

from guide.foundations.rules.seen import Seen, places
from guide.plugin import Verdict, Word
from guide.units import duration, percent

_GARBAGE = 0.03
"""The share of a tick from which collecting garbage is worth a word: below it lies what one run
differs from the next."""

_NEW_PAGES = 0.1
"""The same for new pages: the kernel's time holds other calls as well, so the bar is higher."""

_PAGE_NS = 300_000
"""The most that a new page costs: a huge one, 2 MB to be zeroed. A small one costs a thousandth."""

_CACHED = 0.7
"""The part of that time that goes with it: a page that has just been zeroed is in the cache, and
what is then written into it is quicker (measured on arrays of 40 MB, `benchmarks/explain`)."""

_SWITCH_NS = 5_000
"""What the kernel does for a thread that goes to sleep and is woken, a few microseconds."""

_PAGES = 2
"""New pages a tick, at least: below it stands what a run touches once."""

_WARM = 0.25
"""The share of a run after which memory that it keeps has been touched once."""

_DISK_NS = 5_000_000
"""What one page from disk is taken to cost at most: a seek; a flash disk needs a fiftieth."""

_WAITED = 0.05
"""The share of a tick that must have been waited before a disk is blamed."""

_GC = Word(
    "garbage collection", "The search for objects that only keep each other alive; all wait."
)
_FAULT = Word("page fault", "The first touch of a page of memory: the kernel has to provide it.")


def garbage(record: Mapping[str, Any]) -> list[Verdict]:
    """Whether collecting garbage takes a share of a loop that runs free.

    Args:
        record: the content of run.json.
    """
    seen = Seen(record)
    each_ns = _garbage_ns(seen)
    if not seen.tells or not seen.bound or each_ns < _GARBAGE * seen.work_ns:
        return []
    return [
        _garbage(seen, each_ns, f"{seen.share(each_ns)} of a tick goes into collecting garbage")
    ]


def late_garbage(record: Mapping[str, Any]) -> list[Verdict]:
    """Whether deadlines are missed because garbage is collected.

    Args:
        record: the content of run.json.
    """
    seen = Seen(record)
    missed = seen.missed_over("gc")
    if not seen.tells or seen.bound or not seen.often(missed):
        return []
    says = f"{missed:,} deadlines were missed because garbage was collected"
    return [_garbage(seen, _garbage_ns(seen), says)]


def _garbage_ns(seen: Seen) -> float:
    total = seen.used["gc_ns"] if seen.used else seen.spans.get("gc", {}).get("total_ns", 0)
    return seen.a_tick(total) * seen.calm


def _garbage(seen: Seen, each_ns: float, says: str) -> Verdict:
    pauses = seen.spans.get("gc")
    longest = [("longest pause", duration(pauses["max_ns"]))] if pauses else []
    return Verdict(
        "garbage collection",
        f"{says}.",
        round(each_ns),
        why="Python looks through objects as new ones are made, and the tick waits; the more "
        "objects live, the longer it takes.",
        remedy="Call gc.freeze() at the end of start(): what lives then is never looked through "
        "again. Make fewer objects a tick.",
        check="Run again: the span gc in guide report takes less.",
        sure="sure",
        evidence=(
            *seen.evidence,
            ("collecting, a tick", duration(each_ns)),
            *longest,
            ("given back", "all of it: with nothing to look through it takes no time"),
        ),
        word=_GC,
        teaches=("m1/s7",),
    )


def pages_from_disk(record: Mapping[str, Any]) -> list[Verdict]:
    """Whether ticks wait for pages of memory that lie on a disk.

    Args:
        record: the content of run.json.
    """
    seen = Seen(record)
    major = seen.used["major"] if seen.used else 0
    missed = seen.missed_over("page fault")
    if not seen.tells or not major:
        return []
    waited_ns = min(seen.asleep_ns, seen.a_tick(major * _DISK_NS))
    if seen.bound and waited_ns < _WAITED * seen.work_ns:
        return []
    if not seen.bound:
        if not seen.often(missed):
            return []
        over = [m["over_ns"] for m in seen.misses["list"] if m["cause"] == "page fault"]
        waited_ns = seen.a_tick(sum(over))
    # Reading a page keeps the kernel busy, too, on the loop's own time
    system_s, minor = seen.totals.get("cpu.system", 0.0), seen.totals.get("faults.minor", 0.0)
    kernel_ns = seen.a_tick(1e9 * system_s * major / (major + minor))
    span, _ = seen.sleeper()
    return [
        Verdict(
            "pages from disk",
            f"{major:,} pages that the ticks touched had to come from disk; "
            f"{duration(waited_ns)} of a tick were waited for them.",
            round(waited_ns + kernel_ns),
            why="A mapped file is read as its pages are touched, one wait for each stretch.",
            remedy="Touch it once in start(), read it with one large read, or ask for it ahead "
            "(madvise, MADV_WILLNEED); guide run --realtime keeps it in memory.",
            check="Run again: faults, major stays at 0 in guide report.",
            sure="likely",
            where=places(record, [span] if span else []),
            evidence=(
                *seen.evidence,
                ("pages from disk", f"{major:,}"),
                ("waiting, a tick", duration(seen.asleep_ns)),
                ("in the kernel for it, a tick", duration(kernel_ns)),
                ("given back", f"both; of the wait at most {duration(_DISK_NS)} a page"),
            ),
            word=Word("major fault", "A page fault that had to read a disk."),
            teaches=("m1/s8",),
        )
    ]


def new_pages(record: Mapping[str, Any]) -> list[Verdict]:
    """Whether every tick asks for memory anew, and the kernel has to provide it page by page.

    Args:
        record: the content of run.json.
    """
    seen = Seen(record)
    if not seen.tells or not seen.bound:
        return []
    faults, system_s, ticks = _steady(seen)
    if not ticks or faults < _PAGES * ticks:
        return []
    pages = faults / ticks
    page_ns = min(1e9 * system_s / faults, _PAGE_NS)
    each_ns = pages * page_ns * _CACHED
    if each_ns < _NEW_PAGES * seen.work_ns:
        return []
    return [
        Verdict(
            "new memory in every tick",
            f"A tick touches memory that is new to it, {pages:,.0f} times: the kernel provides it "
            f"in {duration(each_ns)}, {seen.share(each_ns)} of the tick.",
            round(each_ns),
            why="A large array that is made and dropped goes back to the kernel; the next one is "
            "new memory, zeroed page by page as it is touched.",
            remedy="Keep the arrays and write into them: out= of numpy, dst= of OpenCV, copy_ of "
            "torch.",
            check="Run again: faults, minor falls to a few a second in guide report.",
            sure="likely",
            evidence=(
                *seen.evidence,
                ("page faults, a tick", f"{pages:,.0f}"),
                ("each, in the kernel", duration(page_ns)),
                (
                    "given back",
                    f"{percent(_CACHED, 1)} of it: a page that was zeroed is in the cache",
                ),
            ),
            word=_FAULT,
            teaches=("m1/s8", "m1::e5"),
        )
    ]


def _steady(seen: Seen) -> tuple[float, float, float]:
    """Page faults, seconds in the kernel and ticks, after the run is warm."""
    faults, system = seen.column("faults.minor"), seen.column("cpu.system")
    if len(faults) < 4 or len(system) < 4:
        return 0.0, 0.0, 0.0
    first = int(_WARM * min(len(faults), len(system)))
    (begun_s, faults0), (ended_s, faults1) = faults[first], faults[-1]
    (_, system0), (_, system1) = system[first], system[-1]
    share = (ended_s - begun_s) / (seen.wall_ns / 1e9) if seen.wall_ns else 0.0
    # Sleeping and waking are the kernel's work, too
    switches_s = seen.totals.get("switches.voluntary", 0.0) * share * _SWITCH_NS / 1e9
    return faults1 - faults0, max(system1 - system0 - switches_s, 0.0), seen.ticks * share
