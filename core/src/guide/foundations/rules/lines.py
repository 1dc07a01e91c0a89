"""Lines of a project's own code, where `guide profile` has sampled them: loops, and single calls.

A list of where the time goes is no accusation, for work has to be somewhere. Something else has to
speak for a fault: that the interpreter itself is what runs, that the same is computed twice, or
that deadlines are missed.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from typing import Any

from guide.foundations.rules.seen import Seen
from guide.plugin import Place, Verdict, Word
from guide.units import duration

_LOOP = 0.05
"""The least share of a tick that a loop must take."""

_TURNS = 0.15
"""The least share of a loop's own time in which the interpreter goes round. Where that is less, the
calls in it are long ones: a loop over a few large arrays, which is no loop in Python."""

_TWICE = 0.02
"""The least share of a tick that each of two equal calls must take."""

_CALL = 0.15
"""The least share of a tick that one call must take."""

_FEW = 30
"""Samples below which nothing is said: of 30 the share is known to a fifth of itself."""

_INTERPRETED = Word(
    "interpreter overhead",
    "What Python does around each operation: find its types, box its result. Some 50 ns a time.",
)
_HOT = Word("hot line", "A line that a program is in whenever somebody looks.")
_SAME = Word(
    "common subexpression", "The same computed in two places; kept once, it is computed once."
)


def loop_in_python(record: Mapping[str, Any]) -> list[Verdict]:
    """Loops of the project's own code in which the interpreter is what takes the time.

    Args:
        record: the content of run.json, with what `guide profile` has sampled.
    """
    seen = Seen(record)
    loops: dict[tuple[str, str], list[Mapping[str, Any]]] = {}
    for row in _rows(record):
        if row["kind"] not in ("python", "call"):
            continue
        by = row["by"]
        if row["loop"]:
            loops.setdefault((row["file"], row["function"]), []).append(row)
        elif by and by["loop"]:  # a small function, called in a loop
            loops.setdefault((by["file"], by["function"]), []).append(row)
    said = []
    for (_, function), rows in loops.items():
        # A long call and a short one look alike at a moment; where the loop itself is seen often,
        # its calls are short
        turns = [row for row in rows if row["kind"] == "python"]
        each_ns = _a_tick(record, rows)
        if _a_tick(record, turns) < _TURNS * each_ns:
            rows, each_ns = turns, _a_tick(record, turns)
        if each_ns >= _LOOP * seen.done_ns and _count(rows) >= _FEW:
            said.append(_loop(seen, function, rows, each_ns))
    return sorted(said, key=lambda verdict: -verdict.recoverable_ns)


def _loop(seen: Seen, function: str, rows: list[Mapping[str, Any]], each_ns: float) -> Verdict:
    where = _places(rows)
    return Verdict(
        f"a loop in Python: {function}",
        f"{duration(each_ns)} of a tick, {seen.share(each_ns)}, go into turns of a loop at "
        f"{where[0]}, where Python itself is what runs.",
        round(each_ns),
        why="The interpreter takes some 50 ns for each operation, whatever it computes; numpy and "
        "compiled code take that for a hundred numbers.",
        remedy="Say it of whole arrays (numpy), compile the function (@njit), or do it less often. "
        "That gives back this much at most: what the arrays then take is not known.",
        check="Run guide profile again: the line is gone from the list.",
        sure="likely",
        where=where,
        evidence=(
            *seen.evidence,
            ("samples there", f"{_count(rows):,}"),
            ("given back, at most", "all that the loop takes"),
        ),
        word=_INTERPRETED,
        teaches=("m0/s1", "m0::e1", "m5/s2"),
    )


def done_twice(record: Mapping[str, Any]) -> list[Verdict]:
    """Whether two lines of one file make the very same call, with the same arguments in words.

    Args:
        record: the content of run.json, with what `guide profile` has sampled.
    """
    seen = Seen(record)
    said = []
    for (_, call), lines in _calls(record).items():
        sums = {line: _a_tick(record, rows) for line, rows in lines.items()}
        lines = {n: rows for n, rows in lines.items() if sums[n] >= _TWICE * seen.done_ns}
        # Of a span each: in two of them the same words may mean another thing, so it is "perhaps"
        rows = [row for of in lines.values() for row in of]
        if len(lines) < 2 or _count(rows) < _FEW:
            continue
        extra_ns = sum(sums[n] for n in lines) - max(sums[n] for n in lines)
        where = _places(rows)
        said.append(
            Verdict(
                f"the same call twice: {call}",
                f"{len(lines)} lines call {call}: all but one of them take {duration(extra_ns)} of "
                f"a tick, {seen.share(extra_ns)}.",
                round(extra_ns),
                why="The same words in two places may mean the same value, computed again.",
                remedy="Call it once and keep what it returns, if nothing changes in between; or "
                "leave out the one whose result nobody uses. That gives back this much at most.",
                check="Run guide profile again: one line is left of them.",
                sure="perhaps",
                where=where,
                evidence=(
                    *seen.evidence,
                    *((f"line {n}", f"{duration(sums[n])} a tick") for n in sorted(lines)),
                    ("given back, at most", "all but the longest of them"),
                ),
                word=_SAME,
                teaches=("m5/s1", "m5/s2"),
            )
        )
    return said


def one_call(record: Mapping[str, Any]) -> list[Verdict]:
    """Calls into a library that take much of a tick, in a loop that misses its deadlines.

    Not those into a track's own engine (`guide_...`), which a tick is there for.

    Args:
        record: the content of run.json, with what `guide profile` has sampled.
    """
    seen = Seen(record)
    missed = seen.missed_over("over budget")
    if not seen.tells or seen.budget_ns is None or not seen.often(missed):
        return []
    over_ns = seen.a_tick(sum(m["over_ns"] for m in seen.misses["list"]))
    over_ns = max(seen.work_ns - seen.budget_ns, over_ns if missed <= 1000 else 0.0)
    twice = {(place.file, place.line) for v in done_twice(record) for place in v.where}
    lines: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for row in _rows(record):
        place = row["file"], row["line"]
        engine = row["into"].startswith("guide_")  # what a track is there for is no waste
        if row["calls"] and not row["loop"] and not engine and place not in twice:
            lines.setdefault(place, []).append(row)
    said = []
    for rows in lines.values():
        each_ns = _a_tick(record, rows)
        top = max(rows, key=lambda row: row["ns"])
        call = _short(top["calls"])
        # Mended, a deadline is met: what more it might give is not known
        given_ns = min(each_ns, over_ns)
        if each_ns < _CALL * seen.done_ns or _count(rows) < _FEW:
            continue
        into = f", mostly in {top['inner']}" if top["inner"] else ""
        where = Place(top["file"], top["line"], top["text"])
        said.append(
            Verdict(
                f"one line that costs: {top['function']}",
                f"{where} takes {duration(each_ns)} of a tick, {seen.share(each_ns)}, most of it "
                f"for {call}{into}; {missed:,} deadlines are missed.",
                round(given_ns),
                why="It may be what a tick is for. But it is one line that takes much of a tick "
                "which is too long.",
                remedy="Is it needed at every tick (tick.every(n)), at this size, in this dtype "
                "(float64 takes twice the memory of float32)?",
                check="Run guide profile again: the line has a smaller share.",
                sure="perhaps",
                where=(where,),
                evidence=(
                    *seen.evidence,
                    ("the line, a tick", duration(each_ns)),
                    ("given back, at most", "the line, or what a tick is over its budget"),
                ),
                word=_HOT,
                teaches=("m5/s1", "m5/s2"),
            )
        )
    return said


def _rows(record: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    rows = (record.get("sampled") or {"rows": ()})["rows"]
    return [row for row in rows if row["file"]]


def _calls(
    record: Mapping[str, Any],
) -> dict[tuple[str, str], dict[int, list[Mapping[str, Any]]]]:
    """By file and words of a call: its lines, and what was seen in them."""
    found: dict[tuple[str, str], dict[int, list[Mapping[str, Any]]]] = {}
    for row in _rows(record):
        places = {(at["file"], at["line"], _short(at["calls"])) for at in (row, row["by"]) if at}
        for file, line, call in places:
            if call.endswith(")") and not call.endswith("()"):
                found.setdefault((file, call), {}).setdefault(line, []).append(row)
    return found


def _short(call: str) -> str:
    return call if len(call) <= 80 else f"{call[:79]}…"


def _places(rows: Iterable[Mapping[str, Any]]) -> tuple[Place, ...]:
    """The lines of some samples, the one with the most first, and the call of a small function."""
    sums: dict[Place, int] = {}
    for row in rows:
        here = Place(row["file"], row["line"], row["text"])
        sums[here] = sums.get(here, 0) + row["ns"]
        if row["by"] and not row["loop"]:
            by = row["by"]
            at = Place(by["file"], by["line"], by["text"])
            sums[at] = sums.get(at, 0) + row["ns"]
    return tuple(sorted(sums, key=lambda place: -sums[place])[:5])


def _a_tick(record: Mapping[str, Any], rows: Iterable[Mapping[str, Any]]) -> float:
    return float(sum(row["ns"] for row in rows) / record["sampled"]["ticks"])


def _count(rows: Iterable[Mapping[str, Any]]) -> int:
    return sum(row["count"] for row in rows)
