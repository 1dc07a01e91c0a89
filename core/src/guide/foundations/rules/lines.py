"""Lines of a project's own code, where `guide profile` has sampled them: loops, and single calls.

A list of where the time goes is no accusation, for work has to be somewhere. Something else has to
speak for a fault: that the interpreter itself is what runs, that the same is computed twice, or
that deadlines are missed.
"""

from __future__ import annotations

import ast
import re
from collections import Counter
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

_LINE = 0.05
"""The least share of a tick that one line must take, in a loop that misses its deadlines."""

_FEW = 20
"""Samples below which nothing is said: of 20 the share is known to a quarter of itself."""

_MACHINERY = ("guide_", "guide.recorder.", "guide.loop.")
"""What the engine of a track and the loop call begins with: a tick is there for the one, and the
other is nobody's to mend."""

_Calls = dict[tuple[str, str], dict[int, list[Mapping[str, Any]]]]
"""By file and words of a call: its lines, and what was seen in them."""

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
    twice = _twice(record, seen)
    names = Counter(_name(call) for _, call in twice)
    for (file, call), lines in twice.items():
        sums = {line: _a_tick(record, rows) for line, rows in lines.items()}
        rows = [row for of in lines.values() for row in of]
        extra_ns = sum(sums.values()) - max(sums.values())
        at = {n: text for r in rows for f, n, text, _ in _sites(r) if f == file and n in sums}
        calling = [Place(file, n, at[n]) for n in sorted(sums, key=lambda n: -sums[n])]
        where = tuple(dict.fromkeys([*calling, *_places(rows)]))[:5]
        said.append(
            Verdict(
                f"the same call twice: {_name(call) if names[_name(call)] < 2 else call}",
                f"{len(lines)} lines call {call}: all but one of them take {duration(extra_ns)} of "
                f"a tick, {seen.share(extra_ns)}, with all that is called there.",
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
    """Lines that take much of a tick, in a loop that misses its deadlines.

    Not calls into a track's own engine (`guide_...`), which a tick is there for; nor what
    `loop_in_python` names, nor what `done_twice` has counted.

    Args:
        record: the content of run.json, with what `guide profile` has sampled.
    """
    seen = Seen(record)
    over_ns = seen.over_ns("over budget")
    if not seen.tells or not over_ns:
        return []
    again = {id(row) for row in _again(record, seen)}
    loops = {(place.file, place.line) for said in loop_in_python(record) for place in said.where}
    lines: dict[tuple[str, int], list[Mapping[str, Any]]] = {}
    for row in _rows(record):
        at = row["file"], row["line"]
        by_loop = row["kind"] == "python" and (row["loop"] or (row["by"] and row["by"]["loop"]))
        if at not in loops and not by_loop and not row["into"].startswith(_MACHINERY):
            lines.setdefault(at, []).append(row)
    said = []
    for rows in _by_call(lines.values()):
        each_ns = _a_tick(record, rows)
        left_ns = each_ns - _a_tick(record, [row for row in rows if id(row) in again])
        if left_ns >= _LINE * seen.done_ns and _count(rows) >= _FEW:
            # Mended, a deadline is met: what more it might give is not known
            said.append(_line(seen, rows, min(left_ns, over_ns), each_ns, each_ns - left_ns))
    return said


def _line(
    seen: Seen, rows: list[Mapping[str, Any]], given_ns: float, each_ns: float, again_ns: float
) -> Verdict:
    """A line that costs, or a few of one function that call the same."""
    top = max(rows, key=lambda row: row["ns"])
    call = _short(top["calls"])
    name = _name(call)
    into = f", mostly in {top['inner']}" if top["inner"] else ""
    most = f", most of it for {call}{into}" if call else ""
    where = _here(rows)[:3]
    whole = "the rest" if again_ns >= 1 else "all"
    verb = "takes" if len(where) == 1 else "take"
    return Verdict(
        f"a line that costs: {top['function']}{name and f', {name}'}",
        f"{', '.join(map(str, where))} {verb} {duration(each_ns)} of a tick, "
        f"{seen.share(each_ns)}{most}; {seen.missed_over('over budget'):,} deadlines are missed.",
        round(given_ns),
        why="It may be what a tick is for. But it takes much of a tick which is too long.",
        remedy="Is it needed at every tick, at this size, in this dtype (float64 takes twice the "
        "memory of float32)? Is it the same every time?",
        check="Run guide profile again: the line has a smaller share.",
        sure="perhaps",
        where=where,
        evidence=(
            *seen.evidence,
            ("samples there", f"{_count(rows):,}"),
            *[("of it for a call made twice", duration(again_ns))] * (again_ns >= 1),
            ("given back, at most", f"{whole} of it, or what a tick is over its budget"),
        ),
        word=_HOT,
        teaches=("m5/s1", "m5/s2"),
        at_most=True,
    )


def _rows(record: Mapping[str, Any]) -> Iterable[Mapping[str, Any]]:
    rows = (record.get("sampled") or {"rows": ()})["rows"]
    return [row for row in rows if row["file"]]


def _by_call(
    lines: Iterable[list[Mapping[str, Any]]],
) -> Iterable[list[Mapping[str, Any]]]:
    """Lines of one function that mostly call the same, as one: they are told by its name."""
    found: dict[tuple[str, str, str], list[Mapping[str, Any]]] = {}
    for rows in sorted(lines, key=lambda of: -sum(row["ns"] for row in of)):
        top = max(rows, key=lambda row: row["ns"])
        key = top["file"], top["function"], _name(_short(top["calls"]))
        found.setdefault(key, []).extend(rows)
    return found.values()


def _twice(record: Mapping[str, Any], seen: Seen) -> _Calls:
    """Calls that are made on more than one line, each of which takes long enough."""
    found = {}
    for call, lines in _calls(record).items():
        least = _TWICE * seen.done_ns
        lines = {n: rows for n, rows in lines.items() if _a_tick(record, rows) >= least}
        # Of a span each: in two of them the same words may mean another thing, so it is "perhaps"
        if len(lines) >= 2 and _count(row for rows in lines.values() for row in rows) >= _FEW:
            found[call] = lines
    return found


def _again(record: Mapping[str, Any], seen: Seen) -> list[Mapping[str, Any]]:
    """Samples of all lines that make the same call, but for those of the longest of them."""
    return [
        row
        for lines in _twice(record, seen).values()
        for rows in sorted(lines.values(), key=lambda rows: -_a_tick(record, rows))[1:]
        for row in rows
    ]


def _sites(row: Mapping[str, Any]) -> list[tuple[str, int, str, str]]:
    """The project's own lines that were open at once, each with its text and what it calls.

    The innermost comes first.
    """
    at = [row, *([row["by"]] if row["by"] else []), *row.get("outer", ())]
    return [(each["file"], each["line"], each["text"], _short(each["calls"])) for each in at]


def _name(call: str) -> str:
    """What is called: "render" of `viewer.renderer.render(scene)`; "" of what is no call."""
    try:
        node = ast.parse(call, mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        found = re.match(r"[\w.]*?(\w+)\(", call)  # it was cut
        return found[1] if found else ""
    called = node.func if isinstance(node, ast.Call) else None
    if isinstance(called, ast.Attribute):
        return called.attr
    return called.id if isinstance(called, ast.Name) else ""


def _calls(record: Mapping[str, Any]) -> _Calls:
    """By file and words of a call: its lines, and what was seen in them."""
    found: _Calls = {}
    for row in _rows(record):
        # Of all that is open, also of what was called far below: a call's time is all of its own
        # Of a function that calls itself the outermost call is meant
        open_at = {(file, call): line for file, line, _, call in _sites(row)}
        for (file, call), line in open_at.items():
            if call.endswith(")") and not call.endswith("()"):
                found.setdefault((file, call), {}).setdefault(line, []).append(row)
    return found


def _short(call: str) -> str:
    return call if len(call) <= 80 else f"{call[:79]}…"


def _here(rows: Iterable[Mapping[str, Any]]) -> tuple[Place, ...]:
    """The lines of some samples, the one with the most first."""
    sums: dict[Place, int] = {}
    for row in rows:
        here = Place(row["file"], row["line"], row["text"])
        sums[here] = sums.get(here, 0) + row["ns"]
    return tuple(sorted(sums, key=lambda place: -sums[place]))


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
