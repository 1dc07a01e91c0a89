"""The device's own clock, where it can be believed."""

from __future__ import annotations

import time
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import Any

import moderngl

from guide.timing import Timeline
from guide_graphics.raster.gl import shaders
from guide_graphics.raster.gl.program import compile_program

_LONG_NS = 2_000_000  # beside this, handing a draw over and waiting for it count for little
_MOST_WORK = 1 << 20
_TRIES = 5


def doubt(measured: Sequence[tuple[int, int]]) -> str | None:
    """Why a device's timer is not to be believed; None if it is.

    No answer may exceed the wall clock's, and the middle one must come near it: the wall clock
    also counts when something else was given the CPU, which may happen to some of them.

    Args:
        measured: of draws that keep the device busy from beginning to end, what its timer says
            and what the wall clock says, in ns.
    """
    by_share = sorted(measured, key=lambda pair: pair[0] / pair[1])
    most, middle = by_share[-1], by_share[len(by_share) // 2]
    for device_ns, wall_ns in (most, middle):
        if not 0.7 <= device_ns / wall_ns <= 1.1:
            return f"it says {device_ns:,} ns for a draw that took {wall_ns:,} ns"
    return None


class DeviceTimer:
    """Records what frames cost the device as spans "gpu/draw" on a timeline's lane "gpu".

    Args:
        queries: one for every frame that may be under way, each a `context.query(time=True)`.
        doubt: why they are not to be believed: nothing is recorded then.
    """

    def __init__(self, queries: Sequence[Any], doubt: str | None = None) -> None:
        self._queries = queries
        self._started: dict[int, tuple[Timeline, int, int]] = {}
        self._last: tuple[Timeline, int] | None = None
        self.doubt = doubt

    @contextmanager
    def measure(self, slot: int, timeline: Timeline) -> Iterator[None]:
        """Time what is drawn in this block, for the frame in `slot`."""
        if self.doubt:
            yield
            return
        self._started[slot] = timeline, timeline.now_ns(), timeline.tick
        with self._queries[slot]:
            yield

    def report(self, slot: int) -> None:
        """Record the span of the frame in `slot`, once. Its pixels have come: nothing waits."""
        if slot not in self._started:
            return
        timeline, start_ns, tick = self._started.pop(slot)
        if self._last and self._last[0] is timeline:
            start_ns = max(start_ns, self._last[1])  # the device does one frame after the other
        end_ns = start_ns + self._queries[slot].elapsed
        self._last = timeline, end_ns
        timeline.add("gpu/draw", start_ns, end_ns, lane="gpu", tick=tick)


def open_timer(context: moderngl.Context, slots: int) -> DeviceTimer:
    """The timer of a context, tried on draws of known length.

    Some drivers answer with nonsense: llvmpipe, for one, counts a frame's last tile alone. Then
    there are no spans of the device, and the wall clock around the draw is what there is.

    Args:
        context: it has to be current, here and whenever the timer is used.
        slots: how many frames are under way at most.
    """
    queries = [context.query(time=True) for _ in range(slots)]
    return DeviceTimer(queries, doubt(_try(context, queries[0])))


def _try(context: moderngl.Context, query: moderngl.Query) -> list[tuple[int, int]]:
    """What `doubt` judges, of draws that are long enough to tell."""
    program = compile_program(context, shaders.SCREEN_VERTEX, shaders.BUSY_FRAGMENT)
    screen = context.vertex_array(program, [])
    color = context.texture((512, 512), 1)
    target = context.framebuffer([color])
    measured: list[tuple[int, int]] = []
    count: Any = program["count"]
    count.value = 64
    with context.scope(target, moderngl.NOTHING):
        while len(measured) < _TRIES:
            context.finish()
            start_ns = time.perf_counter_ns()
            with query:
                screen.render(moderngl.TRIANGLES, vertices=3)
            context.finish()
            wall_ns = time.perf_counter_ns() - start_ns
            if wall_ns >= _LONG_NS or count.value >= _MOST_WORK:
                measured.append((query.elapsed, wall_ns))
            else:
                count.value *= 2
    for thing in (screen, target, color, program):
        thing.release()
    return measured
