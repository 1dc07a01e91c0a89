"""Figures of frames: when they are shown, what a draw call costs, who is blamed for waiting."""

from __future__ import annotations

import time
from collections.abc import Callable, Mapping, Sequence
from typing import TYPE_CHECKING, Any

import numpy as np

from guide.errors import GuideError
from guide.foundations.figures.stopwatch import best_ns, series
from guide.learn.chart import Lines

if TYPE_CHECKING:
    import moderngl

PERIOD_MS = 1000 / 60


def shown_at(work_ms: Sequence[float], waiting: int) -> list[float]:
    """When a 60 Hz screen shows each frame, in ms; it takes a new one only at its own beats.

    Args:
        work_ms: what each frame takes to draw.
        waiting: finished frames that may wait for the screen. With none, drawing stops until the
            frame is shown.
    """
    shown: list[float] = []
    free_ms, beat = 0.0, 0  # when the next frame may begin; the last beat that was taken
    for number, work in enumerate(work_ms):
        if number > waiting:  # room again once the one that many before is on the screen
            free_ms = max(free_ms, shown[number - waiting - 1])
        free_ms += work
        beat = max(beat + 1, -int(-free_ms // PERIOD_MS))
        shown.append(beat * PERIOD_MS)
    return shown


def pacing(quick: bool = False) -> dict[str, Any]:
    """Frames of 12 ms, each eighth of 24: how long each is on the screen. Computed, no clock."""
    work = [24.0 if number % 8 == 5 else 12.0 for number in range(400)]
    strict, ahead = (np.diff(shown_at(work, waiting)) for waiting in (0, 1))
    mean_ms = sum(work) / len(work)
    return {
        "computed": True,
        "lines": {
            "none waits": [(i, float(ms)) for i, ms in enumerate(strict[8:32])],
            "one may wait": [(i, float(ms)) for i, ms in enumerate(ahead[8:32])],
        },
        "values": {
            "mean_ns": 1e6 * mean_ms,
            "could_count": round(1000 / mean_ms),
            "strict_count": round(1000 / float(strict[8:].mean())),
            "ahead_count": round(1000 / float(ahead[8:].mean())),
            "twice_percent": 100 * float((strict[8:] > 1.5 * PERIOD_MS).mean()),
            "ahead_percent": 100 * float((ahead[8:] > 1.5 * PERIOD_MS).mean()),
        },
    }


def draw_pacing(data: Mapping[str, Any]) -> Lines:
    """One frame after the other."""
    marks = [(float(n), str(n + 1)) for n in (0, 7, 15, 23)]
    return Lines(series(data), "frame", "ms on the screen", log="", x_marks=marks)


ONE_BY_ONE = """
#version 330 core
uniform vec2 place;
uniform float shade;
in vec2 corner;
out float lit;
void main() { lit = shade; gl_Position = vec4(place + 0.02 * corner, 0.0, 1.0); }
"""

INSTANCED = """
#version 330 core
in vec2 corner;
in vec2 place;
in float shade;
out float lit;
void main() { lit = shade; gl_Position = vec4(place + 0.02 * corner, 0.0, 1.0); }
"""

FLAT = """
#version 330 core
in float lit;
out vec4 color;
void main() { color = vec4(lit, lit, lit, 1.0); }
"""


class Quads:
    """Many little quads, drawn one by one or at once, to the same picture.

    Args:
        context: the current context.
        count: how many.
    """

    def __init__(self, context: moderngl.Context, count: int) -> None:
        rng = np.random.default_rng(4)
        self._context, self._count = context, count
        places = rng.uniform(-0.9, 0.9, (count, 2))
        self._rows = np.column_stack([places, rng.random(count)]).astype(np.float32)
        corners = np.array([[-1, -1], [1, -1], [-1, 1], [1, 1]], np.float32)
        self._quad = context.buffer(corners.tobytes())
        self._table = context.buffer(self._rows.tobytes())
        self.program = context.program(vertex_shader=ONE_BY_ONE, fragment_shader=FLAT)
        instanced = context.program(vertex_shader=INSTANCED, fragment_shader=FLAT)
        self._each = context.vertex_array(self.program, [(self._quad, "2f", "corner")])
        self._all = context.vertex_array(
            instanced, [(self._quad, "2f", "corner"), (self._table, "2f 1f/i", "place", "shade")]
        )
        self._target = context.simple_framebuffer((128, 128))
        self._target.use()

    # region: one_by_one
    def one_by_one(self) -> None:
        """A call for where it is, a call for its colour, a call to draw it: for each."""
        place: Any = self.program["place"]
        shade: Any = self.program["shade"]
        for x, y, lit in self._rows.tolist():
            place.value = x, y
            shade.value = lit
            self._each.render(self._context.TRIANGLE_STRIP)

    # endregion

    # region: at_once
    def at_once(self) -> None:
        """All rows of a table are sent, then one call draws a quad for each."""
        self._table.write(self._rows.tobytes())
        self._all.render(self._context.TRIANGLE_STRIP, instances=self._count)

    # endregion

    def drawn(self, way: Callable[[], None]) -> bytes:
        """The picture of one of the two."""
        self._target.clear()
        way()
        data: bytes = self._target.read()
        return data

    def timed_ns(self, way: Callable[[], None], quick: bool) -> float:
        """How long a frame takes, from the first call until the device has drawn it."""

        def frame() -> None:
            way()
            self._context.finish()

        return best_ns(frame, quick, 250_000_000)


def draw_calls(quick: bool = False) -> dict[str, Any]:
    """A frame of quads, by as many draw calls and by one."""
    from guide_graphics.raster.gl.context import open_context

    lines: dict[str, list[tuple[int, float]]] = {"a call each": [], "one call": []}
    context = open_context()
    try:
        for count in (1, 10, 100) if quick else (1, 10, 100, 1000):
            quads = Quads(context, count)
            for line, way in zip(lines.values(), (quads.one_by_one, quads.at_once), strict=True):
                line.append((count, quads.timed_ns(way, quick) / 1e6))
        renderer = str(context.info["GL_RENDERER"])
    finally:
        context.release()
    each, once = lines.values()
    most = each[-1][0]
    return {
        "driver": renderer,
        "lines": lines,
        "values": {
            "most_count": most,
            "each_ns": 1e6 * each[-1][1],
            "once_ns": 1e6 * once[-1][1],
            "call_ns": 1e6 * (each[-1][1] - each[0][1]) / (most - 1),
            "quad_ns": 1e6 * (once[-1][1] - once[0][1]) / (most - 1),
            "once_x": each[-1][1] / once[-1][1],
        },
    }


def draw_draw_calls(data: Mapping[str, Any]) -> Lines:
    """Over the number of things."""
    marks = [(float(10**n), f"{10**n:,}") for n in range(4)]
    return Lines(series(data), "quads in the frame", "ms a frame", x_marks=marks)


def readback(quick: bool = False) -> dict[str, Any]:
    """Drawing, and reading the picture: right away, and once it is known to be done."""
    from guide_graphics.raster.gl import shaders
    from guide_graphics.raster.gl.context import open_context

    side, wanted_ns = (128, 2e6) if quick else (512, 20e6)
    context = open_context()
    try:
        program = context.program(
            vertex_shader=shaders.SCREEN_VERTEX, fragment_shader=shaders.BUSY_FRAGMENT
        )
        screen = context.vertex_array(program, [])
        context.simple_framebuffer((side, side)).use()
        pixels = np.empty(side * side * 4, np.uint8)
        count: Any = program["count"]
        count.value = 16
        while _frame_ns(context, screen, pixels, wait=True)[1] < wanted_ns:
            if count.value >= 1 << 20:
                raise GuideError("this device draws too fast for this figure", "read the author's")
            count.value *= 2
        rounds = [
            (
                _frame_ns(context, screen, pixels, wait=False),
                _frame_ns(context, screen, pixels, wait=True),
            )
            for _ in range(3 if quick else 9)
        ]
        renderer = str(context.info["GL_RENDERER"])
    finally:
        context.release()
    draw_ns = float(np.median([at_once[0] for at_once, _ in rounds]))
    blamed_ns = float(np.median([at_once[2] for at_once, _ in rounds]))
    wait_ns = float(np.median([waited[1] for _, waited in rounds]))
    read_ns = float(np.median([waited[2] for _, waited in rounds]))
    return {
        "what": "one frame, drawn and read; shorter is better",
        "driver": renderer,
        "rows": [
            ("draw()", draw_ns),
            ("read(), at once", blamed_ns),
            ("finish() before it", wait_ns),
            ("read(), after that", read_ns),
        ],
        "values": {
            "draw_ns": draw_ns,
            "blamed_ns": blamed_ns,
            "wait_ns": wait_ns,
            "read_ns": read_ns,
            "blamed_x": blamed_ns / read_ns,
        },
    }


def _frame_ns(
    context: moderngl.Context, screen: moderngl.VertexArray, pixels: Any, wait: bool
) -> tuple[int, int, int]:
    """What three lines of a frame take: to draw it, to wait for it, to read it."""
    context.finish()
    times = [time.perf_counter_ns()]
    screen.render(context.TRIANGLES, vertices=3)
    times.append(time.perf_counter_ns())
    if wait:
        context.finish()
    times.append(time.perf_counter_ns())
    context.fbo.read_into(pixels, components=4)
    times.append(time.perf_counter_ns())
    return times[1] - times[0], times[2] - times[1], times[3] - times[2]
