"""From instructions that were seen to lines, calls and loops of source, once a run is over."""

from __future__ import annotations

import ast
import bisect
import dis
import functools
import itertools
import linecache
import os
from collections.abc import Iterable
from pathlib import Path
from types import CodeType
from typing import Any

from guide.explain.files import parsed
from guide.explain.sampling import own_file

_LONGEST = 160  # of a line's text that is kept
_LOOPS = (
    *(ast.For, ast.AsyncFor, ast.While),
    *(ast.ListComp, ast.SetComp, ast.DictComp, ast.GeneratorExp),
)
_SCOPES = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)


def written_samples(looks: Any) -> dict[str, Any]:
    """What a sampler has seen as plain data: rows by place, the largest first.

    The times are scaled so that their sum is what the ticks took.
    """
    root = os.path.realpath(looks.run.project) + os.sep
    weights = sum(sample.ns for sample in looks.samples)
    scale = looks.ticks_ns / weights if weights else 0.0
    spans = _Spans(looks)
    found: dict[tuple[Any, ...], list[float]] = {}
    for sample in looks.samples:
        seen = found.setdefault((sample.stack, spans.at(sample.t_ns)), [0.0, 0])
        seen[0] += sample.ns * scale
        seen[1] += 1
    return {
        "interval_ns": looks.interval_ns,
        "ticks": looks.ticks,
        "seconds": round(looks.ticks_ns / 1e9, 6),
        "sampler_ns": looks.cost_ns,
        "rows": _rows(((*key, *seen) for key, seen in found.items()), root),
        "threads": [
            {"name": name, "rows": _rows(((s, "", *seen) for s, seen in stacks.items()), root)}
            for name, stacks in looks.beside.items()
        ],
    }


def _rows(seen: Iterable[tuple[Any, ...]], root: str) -> list[dict[str, Any]]:
    merged: dict[tuple[Any, ...], dict[str, Any]] = {}
    for (own, by, inner, below, outer), span, ns, count in seen:
        row = _place(own, root) if own else _nowhere()
        row["kind"] = _kind(own, inner)
        row["calls"] = _expression(*own) if own and row["kind"] != "python" else ""
        library = row["kind"] == "library"
        row["into"] = _named(below) if library and below else ""
        row["inner"] = _named(inner[0]) if library else ""
        row["span"] = span
        row["by"] = {**_place(by, root), "calls": _expression(*by)} if by else None
        row["outer"] = [{**_place(at, root), "calls": _expression(*at)} for at in outer]
        key = (*(v for k, v in row.items() if k not in ("by", "outer")), str(row["by"]))
        key = (*key, str(row["outer"]))
        kept = merged.setdefault(key, {**row, "ns": 0, "count": 0})
        kept["ns"] += ns
        kept["count"] += count
    rows = sorted(merged.values(), key=lambda row: -row["ns"])
    return [{**row, "ns": round(row["ns"])} for row in rows]


def _nowhere() -> dict[str, Any]:
    return {"file": "", "line": 0, "function": "", "text": "", "loop": 0}


def _place(site: tuple[CodeType, int], root: str) -> dict[str, Any]:
    code, at = site
    line = _position(code, at)[0]
    text = linecache.getline(code.co_filename, line).strip()[:_LONGEST]
    return {
        "file": own_file(code.co_filename, root),
        "line": line,
        "function": getattr(code, "co_qualname", code.co_name),
        "text": text,
        "loop": loop_of(code.co_filename, line),
    }


def _kind(own: tuple[CodeType, int] | None, inner: tuple[CodeType, int]) -> str:
    """Who runs: the interpreter ("python"), a "call" or an "operator" in C, or a "library".

    The interpreter gives the lock up at the end of a loop's turn, at a function's begin and behind
    a call, and nowhere else; so that is where it is seen, a little late. In the middle of an
    operator a thread is seen only when what does it let go of the lock, as numpy does for large
    arrays.
    """
    if own is None or own != inner:
        return "library"
    code, at = own
    name = dis.opname[code.co_code[at]] if 0 <= at < len(code.co_code) else ""
    if "CALL" in name:
        return "call"
    return "operator" if name.startswith(("BINARY", "COMPARE", "STORE_SUB", "UNARY")) else "python"


@functools.lru_cache(maxsize=4096)
def _positions(code: CodeType) -> list[tuple[int | None, ...]]:
    return list(code.co_positions())


def _position(code: CodeType, at: int) -> tuple[int, int, int, int]:
    """Line, last line, column and last column of an instruction; columns -1: not known."""
    found = _positions(code)[at // 2] if 0 <= at // 2 < len(_positions(code)) else (None,) * 4
    line = found[0] or code.co_firstlineno
    begin, end = found[2], found[3]
    if begin is None or end is None:
        begin = end = -1
    return line, found[1] or line, begin, end


def _expression(code: CodeType, at: int) -> str:
    """The source of the expression that an instruction is part of, on one line; "" not known."""
    line, last, begin, end = _position(code, at)
    if begin < 0 or last - line > 8:
        return ""
    lines = [linecache.getline(code.co_filename, n).encode() for n in range(line, last + 1)]
    lines[-1] = lines[-1][:end]
    lines[0] = lines[0][begin:]
    return " ".join(b" ".join(lines).decode(errors="replace").split())[:_LONGEST]


@functools.lru_cache(maxsize=4096)
def _named(code: CodeType) -> str:
    """A library's function, as a person would call it: "numpy.lib.nanfunctions.nanmedian"."""
    path = Path(code.co_filename)
    parts = [path.stem]
    for folder in itertools.islice(path.parents, 8):
        if folder.name in ("site-packages", "dist-packages", "src") or not folder.name:
            break
        if not (folder / "__init__.py").is_file():
            break
        parts.append(folder.name)
    name: str = getattr(code, "co_qualname", code.co_name)
    return ".".join([*reversed(parts), name])


@functools.lru_cache(maxsize=4096)
def loop_of(file: str, line: int) -> int:
    """The line of the outermost loop, or comprehension, around a line of a function; 0: none."""
    tree, _ = parsed(Path(file))
    if tree is None:
        return 0
    found = 0
    at: list[tuple[ast.AST, int]] = [(tree, 0)]
    while at:
        node, loop = at.pop()
        for child in ast.iter_child_nodes(node):
            begin, end = getattr(child, "lineno", 0), getattr(child, "end_lineno", None) or 0
            if begin and not begin <= line <= end:
                continue
            inside = loop
            if isinstance(child, _SCOPES):
                found = inside = 0  # that it is called in a loop is said by who called it
            elif isinstance(child, _LOOPS):
                inside = loop or begin
            found = max(found, inside)
            at.append((child, inside))
    return found


class _Spans:
    """Which span of the loop's thread was open at a moment: the innermost."""

    def __init__(self, looks: Any) -> None:
        timeline = looks.run.timeline
        timeline.fold()
        lane = timeline.loop_lane
        found = sorted((s.start_ns, -s.end_ns, s.name) for s in timeline.spans() if s.lane == lane)
        self._starts = [start for start, _, _ in found]
        self._found = found

    def at(self, t_ns: int) -> str:
        first = bisect.bisect_right(self._starts, t_ns) - 1
        for i in range(first, max(first - 64, -1), -1):  # spans of a tick that nest are few
            if -self._found[i][1] >= t_ns:
                return str(self._found[i][2])
        return ""
