"""A fault put into one part of a renderer, then into another: the verdict goes where it went."""

from __future__ import annotations

import time
from typing import Any

import pytest

from benchmarks.explain.loop_tasks import compute, recorded
from benchmarks.explain.loops import ranked
from guide.loop import Loop, Tick
from guide.plugins import Plugins
from guide.run import Run
from guide_graphics.raster import Camera, Material, Scene, orbit, teapot
from guide_graphics.raster.viewer import Viewer

PARTS = "scene/update", "picture/keep"


class Drawn:
    """A teapot, drawn again and again, and perhaps a fault in what is done around that."""

    def __init__(self, asleep: str = "") -> None:
        self.asleep = asleep

    def start(self, run: Run) -> None:
        self.scene = Scene([teapot(400)], [Material()])
        self.viewer = Viewer(run, (160, 90), "software", window="no", threads=1)
        self.camera: Camera = orbit(25, 21, 4.0, (0.0, 0.4, 0.0))
        self.viewer.warm_up(self.scene, self.camera)

    def part(self, tick: Tick, name: str) -> None:
        with tick.span(name):
            compute(40_000)
            if self.asleep == name:
                time.sleep(0.01)

    def step(self, tick: Tick) -> None:
        self.viewer.begin(tick)
        self.part(tick, PARTS[0])
        frame = self.viewer.renderer.render(self.scene, self.camera)
        self.part(tick, PARTS[1])
        self.viewer.show(frame)

    def close(self) -> None:
        self.viewer.close()


def first(task: Drawn, loop: Loop) -> Any:
    return ranked(Plugins(), recorded(task, loop, track="graphics"))[0]


@pytest.mark.parametrize("rate_hz", [None, 30])
@pytest.mark.parametrize("part", PARTS)
def test_a_sleep_is_named_by_the_part_it_was_put_into(part: str, rate_hz: float | None) -> None:
    said = first(Drawn(asleep=part), Loop(rate_hz, ticks=40))
    assert said.title == "waiting, not computing"
    assert f"in {part} it waits" in said.says
