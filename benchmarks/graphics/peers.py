"""Scene a in the renderers that others use, each in a process of its own, in turn with ours."""

from __future__ import annotations

import statistics
import sys
import time
from collections.abc import Iterator
from typing import Any

import numpy as np

from benchmarks.apart import Apart, FailedError
from benchmarks.graphics import others
from benchmarks.graphics.scale import Scale
from benchmarks.graphics.scenes import view
from benchmarks.rows import Row, paired
from guide.units import number

PEERS = {
    "panda3d": "Panda3D tinydisplay, one thread, light at vertices",
    "vtk": "VTK, EGL, Phong",
    "pyrender": "pyrender, EGL, physically based, 4 samples",
    "pygfx": "pygfx, Vulkan on the CPU, Phong",
}
THREADS = {"LP_NUM_THREADS": "2", "LIBGL_ALWAYS_SOFTWARE": "1"}
COVERAGE = 0.01  # of the picture that a peer may cover more or less than ours
WARM_UP = 3


def rows(scale: Scale) -> Iterator[Row]:
    """One for each, over ours."""
    for name, about in PEERS.items():
        if scale.verbose:
            print(f"  {name}", file=sys.stderr)
        figure = f"scene a, peer: {about}"
        try:
            ours, theirs = in_turn(name, scale)
        except FailedError as error:
            why = str(error).partition(": ")[2]
            yield Row(figure, "-", f"did not run: {why}", None, "-", None)
            continue
        fps = [[1e3 / ms for ms in side] for side in (ours, theirs)]
        mine, its, ratio, spread = paired(*fps)
        shown = [f"{number(x)} fps, {number(1e3 / x)} ms" for x in (mine, its)]
        yield Row(figure, shown[0], shown[1], ratio, "-", None, spread)


def in_turn(name: str, scale: Scale) -> tuple[list[float], list[float]]:
    """Milliseconds a frame of ours and of a peer; each waits while the other draws."""
    sides = [
        Apart(
            "graphics.peers:serve",
            THREADS,
            renderer=renderer,
            size=scale.size,
            detail=scale.detail,
            turn_s=scale.turn_s,
        )
        for renderer in ("ours", name)
    ]
    try:
        covers = [_answer(side) for side in sides]
        found: list[list[float]] = [[], []]
        for n in range(scale.peer_rounds):
            for i in (1, 0) if n % 2 else (0, 1):
                sides[i].go()
                found[i].append(_answer(sides[i]))
    finally:
        for side in sides:
            side.end()
    if abs(covers[1] - covers[0]) > COVERAGE:
        raise FailedError(f"{name}: it covers {covers[1]:.1%} of the picture, not {covers[0]:.1%}")
    return found[0], found[1]


def _answer(side: Apart) -> float:
    """The number it says next. Raises FailedError if it ends instead."""
    while text := side.line():
        if text.startswith("answer "):
            return float(text.split()[1])
    side.result()  # which says why
    raise FailedError("it: ended without an answer")


def serve(renderer: str, size: list[int], detail: float, turn_s: float) -> None:
    """Say which share of the picture is covered; then, each time asked, draw for a while."""
    draw = getattr(others, renderer)(view("a", detail=detail), tuple(size))
    for n in range(WARM_UP, -1, -1):
        picture = draw(n)
    _say(float(_covered(picture)))
    number = 0
    while sys.stdin.readline():
        taken: list[float] = []
        end = time.perf_counter() + turn_s
        while not taken or time.perf_counter() < end:
            began = time.perf_counter()
            draw(number)
            taken.append(1e3 * (time.perf_counter() - began))
            number += 1
        _say(statistics.median(taken))


def _say(number: float) -> None:
    print(f"answer {number}", flush=True)


def _covered(picture: Any) -> float:
    """The share of pixels that are not as the first in one corner."""
    colors = picture[..., :3].astype(np.int16)
    return float((np.abs(colors - colors[0, 0]).max(axis=2) > 2).mean())
