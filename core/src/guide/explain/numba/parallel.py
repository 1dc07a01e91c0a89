"""What `parallel=True` made of a function: loops run by all threads, fused, hoisted, or none."""

from __future__ import annotations

import ast
from dataclasses import dataclass
from typing import Any

from guide.explain.numba.compiling import Compiled
from guide.explain.numba.syntax import Source, subscripts


@dataclass(frozen=True, slots=True)
class Parallel:
    """Loops that all threads share, with the lines they come from.

    `fused` are lines whose loop was put into that of another; `apart` says why others were not.
    `hoisted` counts what was taken out of the loops. `races` are lines where several threads may
    write one place, with what they write.
    """

    lines: tuple[int, ...]
    fused: tuple[int, ...]
    apart: tuple[str, ...]
    hoisted: int
    races: tuple[tuple[int, str], ...]


def parallel_of(compiled: Compiled, source: Source) -> Parallel | None:
    """What was made parallel; None where nobody asked for it."""
    said: Any = compiled.result.metadata.get("parfor_diagnostics")
    if said is None or not compiled.dispatcher.targetoptions.get("parallel"):
        return None
    lines = {
        one.id: one.loc.line
        for one in getattr(said, "initial_parfors", ())
        if source.holds(one.loc.line)
    }
    gone = {inner for into in said.fusion_info.values() for inner in into}
    failed = [one.message.partition(":") for one in said.fusion_reports if "failed" in one.message]
    return Parallel(
        tuple(sorted(set(lines.values()))),
        tuple(sorted({lines[one] for one in gone if one in lines})),
        tuple(dict.fromkeys(why.strip().partition(". ")[0].rstrip(".") for _, _, why in failed)),
        sum(len(one["hoisted"]) for one in said.hoist_info.values()),
        (*_warned(compiled, source), *shared_writes(source.tree)),
    )


def _warned(compiled: Compiled, source: Source) -> list[tuple[int, str]]:
    found = []
    for text in compiled.warned:
        if "simultaneously" in text:
            line = text.rpartition("line ")[2].partition(":")[0]
            name = text.removeprefix("Variable ").partition(" ")[0].partition(".")[0]
            found.append((int(line) if line.isdigit() else source.tree.lineno, name))
    return found


def shared_writes(tree: ast.AST) -> list[tuple[int, str]]:
    """Elements that each turn of a `prange` changes though their index is none of the turn's."""
    found = []
    for loop in ast.walk(tree):
        if not (isinstance(loop, ast.For) and "prange" in ast.unparse(loop.iter)):
            continue
        made = {
            one.id
            for node in ast.walk(loop)
            for one in ast.walk(node)
            if isinstance(one, ast.Name) and isinstance(one.ctx, ast.Store)
        }
        for node in ast.walk(loop):
            if isinstance(node, ast.AugAssign) and isinstance(node.target, ast.Subscript):
                for place in subscripts(node.target):
                    names = {one.id for one in ast.walk(place) if isinstance(one, ast.Name)}
                    if not names & made:
                        found.append((node.lineno, ast.unparse(place)))
    return found
