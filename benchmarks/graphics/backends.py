"""The software renderer against OpenGL on the same CPU: four scenes, the frame in numpy."""

from __future__ import annotations

import statistics
import sys
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from typing import Any

from benchmarks.apart import FailedError, run
from benchmarks.graphics.scale import Scale
from benchmarks.rows import Row, paired
from guide.units import number

CONTENDERS = {
    "plain": "plain moderngl",
    "renderer": "our OpenGL renderer",
    "blocks": "plain moderngl, 16 frames and one sync, none read",
}


@dataclass(frozen=True, slots=True)
class Goal:
    """How many times as fast as plain moderngl: what must hold, and what is hoped for."""

    least: float
    hoped: float


GOALS = {"a": Goal(2.5, 5), "b": Goal(4, 8), "c": Goal(6, 10), "c2": Goal(1.5, 2.5)}


def rows(scale: Scale) -> Iterator[Row]:
    """Two threads on both sides."""
    for name in GOALS:
        yield from scene(name, 2, scale, tuple(CONTENDERS), goal=GOALS[name])


def scene(
    name: str,
    threads: int,
    scale: Scale,
    contenders: Sequence[str],
    *,
    goal: Goal | None = None,
    mipmaps: bool = False,
) -> list[Row]:
    """A row for each contender; the goal is for plain moderngl, read every frame."""
    figure = f"{name}, {threads} thread{'s' if threads > 1 else ''}"
    if mipmaps:
        figure += ", mipmaps"
    if scale.verbose:
        print(f"  {figure}", file=sys.stderr)
    # Both are read when the driver starts; a GPU would be another machine, not another program
    environment = {"LP_NUM_THREADS": str(threads), "LIBGL_ALWAYS_SOFTWARE": "1"}
    asked = {
        "name": name,
        "threads": threads,
        "mipmaps": mipmaps,
        "contenders": list(contenders),
        "scale": asdict(scale),
    }
    try:
        found = run("graphics.frames:measure", environment, **asked)
    except FailedError as error:
        return [_empty(figure, str(error).partition(": ")[2], goal)]
    if found["complaint"]:
        return [_empty(f"{figure}: {found['about']}", found["complaint"], goal)]
    return list(_rows(figure, found, goal))


def _rows(figure: str, found: dict[str, Any], goal: Goal | None) -> Iterator[Row]:
    on_cpu = "draws on the CPU" in found["driver"]
    for contender in (contender for contender in CONTENDERS if contender in found):
        ours, theirs = found[contender]
        fps = [[1e3 / ms for ms in side] for side in (ours, theirs)]
        _, _, ratio, spread = paired(*fps)
        asked, ok = "-", None
        if goal and contender == "plain":
            reached = "reached" if ratio >= goal.hoped else "not reached"
            asked = f"at least {goal.least:g}; goal {goal.hoped:g}: {reached}"
            ok = ratio >= goal.least if on_cpu else None
        what = f"{figure}: {found['about']}" if contender == "plain" else figure
        peer = f"{CONTENDERS[contender]} {_shown(theirs)}" + (
            "" if on_cpu else f", {found['driver']}"
        )
        yield Row(what, _shown(ours), peer, ratio, asked, ok, spread)


def _empty(figure: str, why: str, goal: Goal | None) -> Row:
    asked = f"at least {goal.least:g}; goal {goal.hoped:g}" if goal else "-"
    return Row(figure, f"did not run: {why}", "-", None, asked, False if goal else None)


def _shown(ms: list[float]) -> str:
    middle = statistics.median(ms)
    return f"{number(1e3 / middle)} fps, {number(middle)} ms"
