"""The device's own clock, where it can be believed."""

from __future__ import annotations

import contextlib
import time
from collections.abc import Iterator, Sequence
from typing import Any

import moderngl

from guide.timing import Timeline
from guide_graphics.raster.gl import shaders
from guide_graphics.raster.gl.program import compile_program

_LONG_NS = 2_000_000  # beside this, handing a draw over and waiting for it count for little
_MOST_WORK = 1 << 20


def doubt(measured: Sequence[tuple[int, int]]) -> str | None:
    """Why a device's timer is not to be believed; None if it is.

    Args:
        measured: of draws that keep the device busy from beginning to end, what its timer says
            and what the wall clock says, in ns.
    """
    for device_ns, wall_ns in measured:
        if not wall_ns / 2 <= device_ns <= wall_ns * 1.1:
            return f"it says {device_ns:,} ns for a draw that took {wall_ns:,} ns"
    return None


class DeviceTimer:
    """Records what frames cost the device as spans "gpu/draw" on a timeline's lane "gpu".

    Some drivers answer a timer query with nonsense (llvmpipe counts the last tile alone), so the
    timer is tried on a draw of known length first. Where it fails there are no such spans, and the
    wall clock around the draw is what there is.

    Args:
        context: it has to be current, here and at every call.
        slots: how many frames are under way at most.
    """

    def __init__(self, context: moderngl.Context, slots: int) -> None:
        self._queries = [context.query(time=True) for _ in range(slots)]
        self._started: dict[int, tuple[Timeline, int, int]] = {}
        self._last: tuple[Timeline, int] | None = None
        self.doubt = doubt(_try(context, self._queries[0]))

    @contextlib.contextmanager
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


def _try(context: moderngl.Context, query: moderngl.Query) -> list[tuple[int, int]]:
    """What `doubt` judges, of three draws that are long enough to tell."""
    program = compile_program(context, shaders.SCREEN_VERTEX, shaders.BUSY_FRAGMENT)
    screen = context.vertex_array(program, [])
    color = context.texture((512, 512), 1)
    target = context.framebuffer([color])
    measured: list[tuple[int, int]] = []
    count: Any = program["count"]
    count.value = 64
    with context.scope(target, moderngl.NOTHING):
        while len(measured) < 3:
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
