"""Frames of both sides in turn, in one process: what the rows are made of."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.graphics.agree import MEAN, OFF_PPM, channels, difference
from benchmarks.graphics.plain import Plain
from benchmarks.graphics.scale import Scale
from benchmarks.graphics.scenes import View, view
from guide.timing import Timeline
from guide_graphics.raster import Frame, Renderer, open_renderer
from guide_graphics.raster.gl.renderer import GlRenderer

BLOCK = 16  # frames without a sync between them
LATE = 2  # frames that a late readback lags behind
LEAST = 5  # rounds, however long they take
WARM_UP = 3

Act = Callable[[int], object]


def measure(name: str, threads: int, mipmaps: bool, scale: dict[str, Any]) -> dict[str, Any]:
    """Compare the pictures of a scene, then time them.

    `LP_NUM_THREADS` has to be set to `threads` before: llvmpipe reads it when it starts.

    Returns:
        "about" the scene, the "driver", a "complaint" where pictures differ, and else ms a frame
        of each contender: "plain", "renderer", "late", "blocks", each a pair of lists that were
        measured in turn, the software renderer's first.
    """
    sizes = Scale(**scale | {"size": tuple(scale["size"])})
    shown = view(name, mipmaps=mipmaps, detail=sizes.detail)
    software = open_renderer(sizes.size, "software", threads=threads)
    gl = open_renderer(sizes.size, "opengl")
    plain = Plain(shown, sizes.size)
    found = {
        "about": shown.about,
        "driver": gl.description,
        "complaint": compare(shown, software, gl, plain, sizes.views),
    }
    if found["complaint"]:
        return found
    late = GlRenderer(sizes.size, Timeline(keep=100), latency=LATE)
    draw = _drawing(shown, software)
    found["plain"] = _in_turn([draw, plain.read], sizes)
    ours, theirs, later = _in_turn([draw, _drawing(shown, gl), _drawing(shown, late)], sizes)
    found["renderer"], found["late"] = (ours, theirs), (ours, later)
    found["blocks"] = _blocks(draw, plain, sizes)
    return found


def compare(view: View, software: Renderer, gl: Renderer, plain: Plain, views: int) -> str | None:
    """What is different about the three pictures, in some views; None if nothing is."""
    numbers = [7 * n for n in range(views)]

    def pairs() -> Iterator[tuple[Frame, Frame]]:
        for n in numbers:
            camera = view.camera(n)
            yield software.render(view.scene, camera), gl.render(view.scene, camera)

    if complaint := difference(pairs()).complaint(mipmaps=view.material.mipmaps):
        return complaint
    for n in numbers:
        apart = channels(gl.render(view.scene, view.camera(n)).color, plain.read(n))
        if view.material.mipmaps:  # the driver's own levels: close, not equal
            if apart.mean() > MEAN:
                return f"plain moderngl's picture differs by {apart.mean():.1f} of 255 on average"
        elif (parts := 1e6 * np.mean(apart > 1)) > OFF_PPM:
            return f"plain moderngl's picture differs in {parts:,.0f} ppm"
    return None


def _drawing(view: View, renderer: Renderer) -> Act:
    return lambda n: renderer.render(view.scene, view.camera(n)).color


def _in_turn(acts: list[Act], scale: Scale) -> list[list[float]]:
    """Milliseconds of each, frame by frame; who goes first changes."""
    for act in acts:
        for n in range(WARM_UP):
            act(n)
    found: list[list[float]] = [[] for _ in acts]
    end = time.perf_counter() + scale.limit_s
    for n in range(scale.rounds):
        if n >= LEAST and time.perf_counter() > end:
            break
        order = list(range(len(acts)))
        for i in reversed(order) if n % 2 else order:
            found[i].append(_ms(lambda i=i, n=n: acts[i](n)))
    return found


def _blocks(draw: Act, plain: Plain, scale: Scale) -> tuple[list[float], list[float]]:
    """Milliseconds a frame: ours as always, theirs without waiting for any but the last."""

    def ours(first: int) -> None:
        for n in range(first, first + BLOCK):
            draw(n)

    mine, theirs = [], []
    for i in range(scale.blocks):
        if i % 2:
            theirs.append(_ms(lambda i=i: plain.draw(BLOCK * i, BLOCK)) / BLOCK)
        mine.append(_ms(lambda i=i: ours(BLOCK * i)) / BLOCK)
        if not i % 2:
            theirs.append(_ms(lambda i=i: plain.draw(BLOCK * i, BLOCK)) / BLOCK)
    return mine, theirs


def _ms(act: Callable[[], object]) -> float:
    began = time.perf_counter_ns()
    act()
    return (time.perf_counter_ns() - began) / 1e6
