"""Frames of both sides in turn, in one process: what the rows are made of."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from typing import Any

import numpy as np

from benchmarks.graphics.agree import CLOSE, MEAN, OFF_PPM, channels, difference
from benchmarks.graphics.plain import Plain
from benchmarks.graphics.scale import Scale
from benchmarks.graphics.scenes import View, view
from guide_graphics.raster import Frame, Renderer, open_renderer

BLOCK = 16  # frames without a sync between them
LEAST = 4  # rounds, however long they take
WARM_UP = 2

Act = Callable[[int], object]


def measure(
    name: str, threads: int, mipmaps: bool, contenders: list[str], scale: dict[str, Any]
) -> dict[str, Any]:
    """Compare the pictures of a scene, then time them.

    `LP_NUM_THREADS` has to be set to `threads` before: llvmpipe reads it when it starts.

    Args:
        name: of the scene.
        threads: of the software renderer.
        mipmaps: whether the texture has them.
        contenders: of "plain", "renderer", "blocks".
        scale: the fields of a `Scale`.

    Returns:
        "about" the scene, the "driver", a "complaint" where pictures differ, and else ms a frame
        for each contender: two lists that were measured in turn, the software renderer's first.
    """
    sizes = Scale(**scale | {"size": tuple(scale["size"])})
    shown = view(name, mipmaps=mipmaps, detail=sizes.detail)
    software = open_renderer(sizes.size, "software", threads=threads)
    gl = open_renderer(sizes.size, "opengl")
    plain = Plain(shown, sizes.size)
    complaint = compare(shown, software, gl, plain, sizes.views)
    found: dict[str, Any] = {
        "about": shown.about,
        "driver": gl.description,
        "complaint": complaint,
    }
    draw = _drawing(shown, software)
    for contender in contenders if complaint is None else ():
        if contender == "blocks":
            found[contender] = _blocks(draw, plain, sizes)
        else:
            theirs = plain.read if contender == "plain" else _drawing(shown, gl)
            found[contender] = _in_turn(draw, theirs, sizes)
    return found


def compare(view: View, software: Renderer, gl: Renderer, plain: Plain, views: int) -> str | None:
    """What is different about the three pictures, in some views; None if nothing is."""
    apart = []

    def pairs() -> Iterator[tuple[Frame, Frame]]:
        for n in range(0, 7 * views, 7):
            camera = view.camera(n)
            drawn = gl.render(view.scene, camera)
            apart.append(channels(drawn.color, plain.read(n)))
            yield software.render(view.scene, camera), drawn

    if complaint := difference(pairs()).complaint():
        return complaint
    if view.material.mipmaps:  # plain moderngl has the driver's own levels: close, not equal
        if (mean := np.mean(apart)) > MEAN:
            return f"plain moderngl's picture differs by {mean:.1f} of 255 on average"
    elif (parts := 1e6 * np.mean(np.array(apart) > CLOSE)) > OFF_PPM:
        return f"plain moderngl's picture differs in {parts:,.0f} ppm, {OFF_PPM} may"
    return None


def _drawing(view: View, renderer: Renderer) -> Act:
    return lambda n: renderer.render(view.scene, view.camera(n)).color


def _in_turn(draw: Act, theirs: Act, scale: Scale) -> list[list[float]]:
    """Milliseconds of each, frame by frame."""
    for n in range(WARM_UP):
        draw(n)
        theirs(n)
    return _alternate(draw, theirs, scale.rounds, scale.limit_s)


def _blocks(draw: Act, plain: Plain, scale: Scale) -> list[list[float]]:
    """Milliseconds a frame: ours as always, theirs without waiting for any but the last."""

    def ours(i: int) -> None:
        for n in range(BLOCK * i, BLOCK * (i + 1)):
            draw(n)

    found = _alternate(ours, lambda i: plain.draw(BLOCK * i, BLOCK), scale.blocks, scale.limit_s)
    return [[ms / BLOCK for ms in side] for side in found]


def _alternate(ours: Act, theirs: Act, rounds: int, limit_s: float) -> list[list[float]]:
    """Milliseconds of both, in turn; who goes first changes."""
    found: list[list[float]] = [[], []]
    sides = list(zip((ours, theirs), found, strict=True))
    end = time.perf_counter() + limit_s
    for n in range(rounds):
        if n >= LEAST and time.perf_counter() > end:
            break
        for act, taken in reversed(sides) if n % 2 else sides:
            began = time.perf_counter_ns()
            act(n)
            taken.append((time.perf_counter_ns() - began) / 1e6)
    return found
